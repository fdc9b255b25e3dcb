"""Reading a stream, the global order, and its head."""

from __future__ import annotations

from eventstore.contract import EventStore
from eventstore.events import NO_STREAM, START, ExpectedVersion, NewEvent, Position, StoredEvent


def event(n: int) -> NewEvent:
    return NewEvent("Counted", {"n": n})


async def three_streams(store: EventStore) -> list[tuple[str, int]]:
    """Nine events, in turn to three streams; the (stream, version) of each in the order of writing."""
    written = []
    for version in range(3):
        for stream in ("b", "a", "c"):
            done = await store.append(stream, [event(version)], expected=ExpectedVersion(version))
            written.append((stream, done.version))
    return written


async def test_an_empty_store(store: EventStore) -> None:
    assert await store.head() == START
    assert await store.read_log(after=START) == []
    assert await store.read_stream("s") == []


async def test_the_log_has_every_event_in_the_order_of_writing(store: EventStore, neighbor: EventStore) -> None:
    written = await three_streams(store)

    for reader in (store, neighbor):
        log = await reader.read_log(after=START)
        assert [(e.stream, e.version) for e in log] == written
        assert log[-1].position == await reader.head()


async def test_the_log_is_read_in_windows(store: EventStore) -> None:
    written = await three_streams(store)

    position, seen = START, list[StoredEvent]()
    while window := await store.read_log(after=position, limit=2):
        assert len(window) <= 2
        seen += window
        position = window[-1].position
    assert [(e.stream, e.version) for e in seen] == written


async def test_nothing_lies_behind_the_head(store: EventStore) -> None:
    await three_streams(store)

    assert await store.read_log(after=await store.head()) == []
    assert await store.read_log(after=Position(await store.head() + 1000)) == []


async def test_a_stream_is_read_in_windows(store: EventStore) -> None:
    await store.append("s", [event(n) for n in range(5)], expected=NO_STREAM)
    await store.append("t", [event(9)], expected=NO_STREAM)

    assert [e.version for e in await store.read_stream("s", limit=2)] == [1, 2]
    assert [e.version for e in await store.read_stream("s", after=2, limit=2)] == [3, 4]
    assert [e.version for e in await store.read_stream("s", after=4)] == [5]
    assert await store.read_stream("s", after=5) == []


async def test_a_stream_and_the_log_show_the_same_events(store: EventStore) -> None:
    await three_streams(store)

    log = await store.read_log(after=START)
    assert await store.read_stream("a") == [e for e in log if e.stream == "a"]
