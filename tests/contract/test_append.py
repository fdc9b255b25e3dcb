"""Appending: expected versions, what comes back, idempotency keys, what the store refuses."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventstore.contract import EventStore
from eventstore.errors import InvalidEvent, KeyReused, VersionConflict
from eventstore.events import NO_STREAM, START, ExpectedVersion, IdempotencyKey, NewEvent

A = NewEvent("A", {"n": 1})
B = NewEvent("B", {"n": 2})
C = NewEvent("C", {"n": 3})


async def test_creates_a_stream_at_version_1(store: EventStore) -> None:
    appended = await store.append("s", [A], expected=NO_STREAM)

    assert (appended.stream, appended.version, appended.replayed) == ("s", 1, False)
    assert appended.position > START


async def test_several_events_get_gapless_versions(store: EventStore) -> None:
    first = await store.append("s", [A, B], expected=NO_STREAM)
    second = await store.append("s", [C], expected=ExpectedVersion(first.version))

    history = await store.read_stream("s")
    assert [(e.version, e.type, e.data) for e in history] == [(1, "A", A.data), (2, "B", B.data), (3, "C", C.data)]
    assert [e.position for e in history] == sorted({e.position for e in history})
    assert (first.version, second.version) == (2, 3)
    assert (first.position, second.position) == (history[1].position, history[2].position)


async def test_an_event_keeps_the_time_of_its_writing(store: EventStore) -> None:
    before = datetime.now(UTC)
    await store.append("s", [A], expected=NO_STREAM)

    [event] = await store.read_stream("s")
    assert event.recorded_at.utcoffset() == timedelta(0)
    assert before - timedelta(seconds=1) <= event.recorded_at <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize(("seen", "actual"), [(0, 2), (1, 2), (3, 2)])
async def test_another_version_is_a_conflict_and_writes_nothing(store: EventStore, seen: int, actual: int) -> None:
    await store.append("s", [A, B], expected=NO_STREAM)
    head = await store.head()

    with pytest.raises(VersionConflict) as refusal:
        await store.append("s", [C, C], expected=ExpectedVersion(seen))

    assert (refusal.value.stream, refusal.value.expected, refusal.value.actual) == ("s", seen, actual)
    assert len(await store.read_stream("s")) == actual
    assert await store.read_log(after=head) == []


async def test_a_version_of_a_stream_that_does_not_exist_is_a_conflict(store: EventStore) -> None:
    with pytest.raises(VersionConflict) as refusal:
        await store.append("s", [A], expected=ExpectedVersion(1))

    assert (refusal.value.expected, refusal.value.actual or 0) == (1, 0)
    assert await store.read_stream("s") == []


async def test_a_conflict_leaves_no_trace_in_other_streams(store: EventStore) -> None:
    await store.append("s", [A], expected=NO_STREAM)
    with pytest.raises(VersionConflict):
        await store.append("s", [B], expected=NO_STREAM)

    other = await store.append("t", [A], expected=NO_STREAM)
    after = await store.append("s", [B], expected=ExpectedVersion(1))

    assert (other.version, after.version) == (1, 2)


async def test_a_key_replays_the_first_result(store: EventStore, neighbor: EventStore) -> None:
    key = IdempotencyKey("k", "body")
    first = await store.append("s", [A, B], expected=NO_STREAM, key=key)

    for again in (store, neighbor):
        replay = await again.append("s", [A, B], expected=NO_STREAM, key=key)
        assert replay.replayed
        assert (replay.stream, replay.version, replay.position) == (first.stream, first.version, first.position)
    assert len(await store.read_stream("s")) == 2


async def test_a_key_replays_after_the_stream_moved_on(store: EventStore) -> None:
    key = IdempotencyKey("k", "body")
    first = await store.append("s", [A], expected=NO_STREAM, key=key)
    await store.append("s", [B], expected=ExpectedVersion(1))

    replay = await store.append("s", [A], expected=NO_STREAM, key=key)

    assert (replay.version, replay.position, replay.replayed) == (first.version, first.position, True)


async def test_a_key_replays_though_the_caller_names_another_stream(store: EventStore) -> None:
    """A create that is sent again comes with a new stream name; it must still find the first one."""
    key = IdempotencyKey("k", "body")
    first = await store.append("s", [A], expected=NO_STREAM, key=key)

    replay = await store.append("t", [A], expected=NO_STREAM, key=key)

    assert (replay.stream, replay.version, replay.position) == ("s", 1, first.position)
    assert await store.read_stream("t") == []


async def test_a_key_with_other_content_is_refused(store: EventStore) -> None:
    await store.append("s", [A], expected=NO_STREAM, key=IdempotencyKey("k", "body"))

    with pytest.raises(KeyReused) as refusal:
        await store.append("t", [B], expected=NO_STREAM, key=IdempotencyKey("k", "other body"))

    assert refusal.value.key == "k"
    assert await store.read_stream("t") == []


async def test_a_refused_append_does_not_use_up_its_key(store: EventStore) -> None:
    key = IdempotencyKey("k", "body")
    with pytest.raises(VersionConflict):
        await store.append("s", [A], expected=ExpectedVersion(5), key=key)

    assert not (await store.append("s", [A], expected=NO_STREAM, key=key)).replayed


JSON: list[dict[str, Any]] = [
    {},
    {"text": "Grüße, 世界 🌊 \\u0000 \" ' \\ $1 %s"},
    {"nested": {"list": [1, -2.5, True, False, None, "x", []]}},
    {"big": 2**80, "small": 1e-9, "": "empty name"},
]


@pytest.mark.parametrize("data", JSON)
async def test_json_comes_back_as_it_went_in(store: EventStore, data: dict[str, Any]) -> None:
    await store.append("s", [NewEvent("A", data)], expected=NO_STREAM)

    [event] = await store.read_stream("s")
    assert event.data == data


def nested(depth: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(depth - 1):
        data = {"in": data}
    return data


NOT_JSON = [
    pytest.param({"text": "a\0b"}, id="nul"),
    pytest.param({"a\0b": 1}, id="nul-in-a-name"),
    pytest.param({"deep": [{"text": "\0"}]}, id="deep-nul"),
    pytest.param({"text": "\ud800"}, id="lone-surrogate"),
    pytest.param({"\udfff": 1}, id="lone-surrogate-in-a-name"),
    pytest.param({"n": math.nan}, id="nan"),
    pytest.param({"n": math.inf}, id="infinity"),
    pytest.param({"n": [{"m": -math.inf}]}, id="deep-infinity"),
    pytest.param({"n": 2**1024}, id="huge-number"),
    pytest.param({1: "one"}, id="number-as-a-name"),
    pytest.param({None: "none"}, id="null-as-a-name"),
    pytest.param({"n": object()}, id="object"),
    pytest.param({"at": datetime(2040, 1, 1, tzinfo=UTC)}, id="time"),
    pytest.param({"some": {1, 2}}, id="set"),
    pytest.param({"raw": b"raw"}, id="bytes"),
    pytest.param(nested(101), id="too-deep"),
    pytest.param(["list"], id="no-object"),
    pytest.param("text", id="text-alone"),
]


@pytest.mark.parametrize("data", NOT_JSON)
async def test_what_is_not_json_is_refused_and_nothing_is_written(store: EventStore, data: Any) -> None:
    with pytest.raises(InvalidEvent):
        await store.append("s", [A, NewEvent("B", data)], expected=NO_STREAM)

    assert await store.read_stream("s") == []
    assert (await store.append("s", [A], expected=NO_STREAM)).version == 1


NO_NAMES = [
    pytest.param("", id="empty"),
    pytest.param("a\0b", id="nul"),
    pytest.param("\ud800", id="lone-surrogate"),
    pytest.param("ß" * 501, id="too-long"),
]


@pytest.mark.parametrize("name", NO_NAMES)
async def test_names_that_an_index_can_not_hold_are_refused(store: EventStore, name: str) -> None:
    key = IdempotencyKey("k", "body")
    for stream, type, its_key in (
        (name, "A", key),
        ("s", name, key),
        ("s", "A", IdempotencyKey(name, "body")),
        ("s", "A", IdempotencyKey("k", name)),
    ):
        with pytest.raises(InvalidEvent):
            await store.append(stream, [NewEvent(type, {})], expected=NO_STREAM, key=its_key)

    assert await store.head() == START
    assert not (await store.append("s", [A], expected=NO_STREAM, key=key)).replayed


async def test_the_longest_names_and_the_deepest_data_are_kept(store: EventStore) -> None:
    name = "ß" * 500
    data = {**nested(100), "n": 2**1024 - 1}

    await store.append(name, [NewEvent(name, data)], expected=NO_STREAM, key=IdempotencyKey(name, name))

    [event] = await store.read_stream(name)
    assert (event.stream, event.type, event.data) == (name, name, data)


async def test_an_append_of_no_events_is_refused_also_for_a_key_in_use(store: EventStore) -> None:
    with pytest.raises(InvalidEvent, match="no events"):
        await store.append("s", [], expected=NO_STREAM)

    key = IdempotencyKey("k", "body")
    await store.append("s", [A], expected=NO_STREAM, key=key)
    with pytest.raises(InvalidEvent, match="no events"):
        await store.append("s", [], expected=ExpectedVersion(1), key=key)


@pytest.mark.parametrize("version", [-1, 2**31 - 1, 2**31, 2**70])
async def test_a_version_out_of_range_is_a_conflict_like_any_other(store: EventStore, version: int) -> None:
    await store.append("s", [A], expected=NO_STREAM)

    with pytest.raises(VersionConflict) as refusal:
        await store.append("s", [B], expected=ExpectedVersion(version))

    assert (refusal.value.expected, refusal.value.actual) == (version, 1)


async def test_what_is_not_json_hits_nobody_who_appends_at_the_same_moment(store: EventStore) -> None:
    bad = NewEvent("B", {"text": "\0"})
    answers = await asyncio.gather(
        *(store.append(f"s{n}", [bad if n % 4 == 0 else A], expected=NO_STREAM) for n in range(40)),
        return_exceptions=True,
    )

    assert [isinstance(answer, InvalidEvent) for answer in answers] == [n % 4 == 0 for n in range(40)]
    assert len(await store.read_log(after=START)) == 30
