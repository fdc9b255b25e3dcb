"""Many at once: what one caller wins, all others are told that they lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from eventstore.contract import EventStore
from eventstore.errors import VersionConflict
from eventstore.events import NO_STREAM, START, Appended, ExpectedVersion, IdempotencyKey, NewEvent
from projection.leases.contract import Leases

EVENT = NewEvent("A", {})
TTL = timedelta(minutes=5)


async def try_append(store: EventStore, stream: str, expected: int, key: IdempotencyKey | None = None) -> bool:
    try:
        await store.append(stream, [EVENT], expected=ExpectedVersion(expected), key=key)
    except VersionConflict:
        return False
    return True


async def test_one_of_many_wins_a_version(store: EventStore, neighbor: EventStore) -> None:
    for version in range(5):
        tries = [try_append(either, "s", version) for either in (store, neighbor) for _ in range(8)]
        assert Counter(await asyncio.gather(*tries)) == {True: 1, False: 15}

    assert [e.version for e in await store.read_stream("s")] == [1, 2, 3, 4, 5]


async def grow(store: EventStore, stream: str, times: int) -> None:
    """Append, with a retry on conflict, until `times` appends of this caller are in."""
    for _ in range(times):
        while True:
            head = len(await store.read_stream(stream))
            if await try_append(store, stream, head):
                break


async def test_versions_stay_gapless_and_grow_with_the_position(store: EventStore, neighbor: EventStore) -> None:
    callers = [grow(either, stream, 5) for either in (store, neighbor) for stream in "abc" for _ in range(2)]
    await asyncio.gather(*callers)

    log = await store.read_log(after=START)
    assert len(log) == 60
    for stream in "abc":
        assert [e.version for e in log if e.stream == stream] == list(range(1, 21))


async def test_a_conflict_beside_others_does_not_fail_them(store: EventStore) -> None:
    await store.append("hot", [EVENT], expected=NO_STREAM)
    outcomes = await asyncio.gather(
        *(try_append(store, f"s{n}" if n % 2 else "hot", 0) for n in range(40)),
    )

    assert outcomes == [bool(n % 2) for n in range(40)]
    assert len(await store.read_log(after=START)) == 21


async def test_one_key_sent_many_times_at_once_is_one_append(store: EventStore, neighbor: EventStore) -> None:
    key = IdempotencyKey("k", "body")

    async def send(either: EventStore, n: int) -> Appended:
        return await either.append(f"s{n}", [EVENT], expected=NO_STREAM, key=key)

    answers = await asyncio.gather(*(send(either, n) for n, either in enumerate([store, neighbor] * 8)))

    assert len({(a.stream, a.version, a.position) for a in answers}) == 1
    assert Counter(a.replayed for a in answers) == {True: 15, False: 1}
    assert len(await store.read_log(after=START)) == 1


async def test_one_key_sent_many_times_at_once_to_one_stream_is_one_append(
    store: EventStore, neighbor: EventStore
) -> None:
    """Whoever had to wait for the first sending learns its result, and not that the version is taken."""
    for version in range(10):
        key = IdempotencyKey(f"k{version}", "body")
        answers = await asyncio.gather(
            *(
                either.append("s", [EVENT], expected=ExpectedVersion(version), key=key)
                for either in (store, neighbor) * 4
            )
        )
        assert {a.version for a in answers} == {version + 1}
        assert Counter(a.replayed for a in answers) == {True: 7, False: 1}


async def test_keys_crossing_each_other_all_get_an_answer(store: EventStore, neighbor: EventStore) -> None:
    keys = [IdempotencyKey(f"k{n}", "body") for n in range(12)]

    async def send(either: EventStore, name: str, key: IdempotencyKey) -> Appended:
        return await either.append(f"{name}-{key.key}", [EVENT], expected=NO_STREAM, key=key)

    answers = await asyncio.gather(
        *(send(store, "x", key) for key in keys), *(send(neighbor, "y", key) for key in reversed(keys))
    )

    assert Counter(a.replayed for a in answers) == {True: 12, False: 12}
    assert len(await store.read_log(after=START)) == 12


async def test_claims_at_once_never_share_a_stream(store: EventStore, leases: Leases) -> None:
    streams = {f"s{n:02}" for n in range(60)}
    await asyncio.gather(*(store.append(s, [EVENT], expected=NO_STREAM) for s in streams))

    granted = await asyncio.gather(*(leases.claim(f"holder{n}", limit=20, ttl=TTL) for n in range(6)))
    granted.append(await leases.claim("last", limit=60, ttl=TTL))

    taken = Counter(lease.stream for grant in granted for lease in grant)
    assert set(taken) == streams
    assert set(taken.values()) == {1}
    assert all(len(grant) <= 20 for grant in granted[:-1])
