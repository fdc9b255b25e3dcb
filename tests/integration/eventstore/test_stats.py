"""Stats: one snapshot of what the store holds, right also while others write."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg

from eventstore.connection.database import Database
from eventstore.errors import VersionConflict
from eventstore.events import NO_STREAM, ExpectedVersion, NewEvent
from eventstore.postgres import PostgresEventStore
from projection.leases.streams import PostgresLeases
from projection.stats import count_drain, read_stats
from tests.integration.eventstore.conftest import Connect

EVENT = NewEvent("A", {})
TTL = timedelta(minutes=5)


async def audit(connection: asyncpg.Connection, stream: str, first: int, last: int) -> None:
    """What a projection leaves behind for each batch."""
    await connection.execute(
        "INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)"
        " SELECT stream, $2, $3, position, 'one', 7, clock_timestamp() FROM events WHERE stream = $1 AND version = $3",
        stream,
        first,
        last,
    )


async def test_an_empty_store(database: Database) -> None:
    stats = await read_stats(database)

    assert (stats.events, stats.streams, stats.projected, stats.backlog, stats.drains) == (0, 0, 0, 0, 0)
    assert (stats.last_position, stats.last_recorded_at, stats.pending_since) == (0, None, None)
    assert (stats.oldest_unprojected_age_ms, stats.recent, stats.blocked, stats.projectors) == (0.0, [], [], [])


async def test_what_was_written_and_projected(database: Database, store: PostgresEventStore) -> None:
    await store.append("a", [EVENT, EVENT], expected=NO_STREAM)
    last = await store.append("b", [EVENT], expected=NO_STREAM)
    [a] = await PostgresLeases(database).claim("one", limit=1, ttl=TTL)
    await PostgresLeases(database).acknowledge(a, 1)
    await count_drain(database, 3)
    await count_drain(database, 3)

    stats = await read_stats(database)
    assert (stats.events, stats.streams, stats.projected, stats.backlog, stats.drains) == (3, 2, 1, 2, 2)
    assert stats.last_position == last.position
    [first, second] = await store.read_stream("a")
    assert stats.pending_since
    assert first.recorded_at < second.recorded_at
    assert stats.pending_since <= second.recorded_at
    assert stats.oldest_unprojected_age_ms > 0


async def test_the_last_ten_projected_newest_first(
    database: Database, store: PostgresEventStore, connect: Connect
) -> None:
    await store.append("a", [EVENT] * 8, expected=NO_STREAM)
    await store.append("b", [EVENT] * 30, expected=NO_STREAM)
    projector = await connect()
    await audit(projector, "a", 1, 4)
    await audit(projector, "b", 1, 7)
    await audit(projector, "a", 5, 5)

    recent = (await read_stats(database)).recent
    expected = [("a", 5), *(("b", version) for version in range(7, 0, -1)), ("a", 4), ("a", 3)]
    assert [(event.stream, event.version) for event in recent] == expected
    assert {(event.projector, event.epoch) for event in recent} == {("one", 7)}
    assert all(event.projected_at > event.recorded_at for event in recent)

    await audit(projector, "b", 8, 30)
    assert [(e.stream, e.version) for e in (await read_stats(database)).recent] == [("b", n) for n in range(30, 20, -1)]


async def test_blocked_streams_are_named_and_still_age(
    database: Database, store: PostgresEventStore, connect: Connect
) -> None:
    for n in range(12):
        await store.append(f"s{n:02}", [EVENT], expected=NO_STREAM)
    operator = await connect()
    await operator.execute(
        "UPDATE streams SET blocked_at = clock_timestamp(), attempts = 5, error = 'no' WHERE stream <> 's11'"
    )
    await operator.execute("INSERT INTO cursors (name, position, blocked_at) VALUES ('todos', 9, now())")
    pending = await operator.fetchval("SELECT min(pending_since) FROM streams")

    stats = await read_stats(database)
    assert (stats.blocked_streams, stats.pending_since) == (12, pending)
    projection, *streams = stats.blocked
    assert (projection.scope, projection.position) == ("projection", 9)
    assert len(streams) == 10
    assert {(one.version, one.error, one.attempts) for one in streams} == {(1, "no", 5)}


async def test_the_backlog_is_never_wrong_while_others_write_and_project(
    database: Database, store: PostgresEventStore
) -> None:
    """Each reading comes from one snapshot, so its counts belong together."""
    leases = PostgresLeases(database, slot=9)
    done = asyncio.Event()

    async def write(stream: str) -> None:
        for version in range(25):
            await store.append(stream, [EVENT], expected=ExpectedVersion(version))

    async def refused() -> None:
        for _ in range(25):
            try:
                await store.append("s0", [EVENT], expected=ExpectedVersion(77))
            except VersionConflict:
                continue

    async def project() -> None:
        while not done.is_set() or (await read_stats(database)).backlog:
            for lease in await leases.claim("one", limit=3, ttl=TTL):
                await leases.acknowledge(lease, lease.version)

    async def watch() -> None:
        before = await read_stats(database)
        while not done.is_set():
            stats = await read_stats(database)
            assert 0 <= stats.backlog <= stats.events
            assert stats.events >= before.events
            assert stats.projected >= before.projected
            assert (stats.backlog > 0) == (stats.pending_since is not None)
            before = stats

    others = [asyncio.create_task(project()), asyncio.create_task(watch())]
    await asyncio.gather(*(write(f"s{n}") for n in range(6)), refused())
    done.set()
    await asyncio.gather(*others)
    stats = await read_stats(database)
    assert (stats.events, stats.streams, stats.projected, stats.backlog) == (150, 6, 150, 0)
