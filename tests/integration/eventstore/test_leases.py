"""Leases on Postgres: rows that others have locked are passed over, clocks are the database's, and all is counted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from eventstore.connection.database import Database, Statement
from eventstore.events import NO_STREAM, NewEvent
from eventstore.postgres import PostgresEventStore
from projection.leases import cursors
from projection.leases.streams import ACKNOWLEDGE, CLAIM, RENEW, PostgresLeases
from projection.stats import read_stats
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import BOUND_S, until, waits_for_lock

EVENT = NewEvent("A", {})
TTL = timedelta(minutes=5)
NOON = datetime(2040, 1, 1, 12, tzinfo=UTC)
EXPIRED = NOON + TTL

REGISTER = """
INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until)
SELECT name, 'parallel', now(), now(), now() + interval '1 hour' FROM unnest($1::text[]) AS name
"""


@pytest.fixture
def leases(database: Database) -> PostgresLeases:
    return PostgresLeases(database, slot=5)


async def grow(store: PostgresEventStore, *streams: str) -> None:
    for stream in streams:
        await store.append(stream, [EVENT, EVENT], expected=NO_STREAM)


async def lock(connection: asyncpg.Connection, *streams: str) -> None:
    """Hold rows, as a batch under way does."""
    await connection.execute("BEGIN")
    await connection.execute("SELECT FROM streams WHERE stream = ANY($1) FOR UPDATE", streams)


async def counters(database: Database, holder: str) -> tuple[int, int, int]:
    [stats] = [one for one in (await read_stats(database)).projectors if one.holder == holder]
    return stats.claims, stats.leases_held, stats.takeovers


async def test_a_claim_passes_over_rows_that_are_locked(
    store: PostgresEventStore, leases: PostgresLeases, connect: Connect
) -> None:
    await grow(store, "a", "b", "c")
    batch = await connect()
    await lock(batch, "a")

    async with asyncio.timeout(BOUND_S):
        granted = await leases.claim("one", limit=2, ttl=TTL)
    assert {lease.stream for lease in granted} == {"b", "c"}

    await batch.execute("ROLLBACK")
    assert [lease.stream for lease in await leases.claim("one", limit=2, ttl=TTL)] == ["a"]


async def test_a_heartbeat_never_waits_for_a_batch(
    store: PostgresEventStore, leases: PostgresLeases, connect: Connect
) -> None:
    await grow(store, "a", "b", "c")
    held = await leases.claim("one", limit=3, ttl=TTL, now=NOON)
    batch = await connect()
    await lock(batch, "a")

    async with asyncio.timeout(BOUND_S):
        kept = await leases.renew(held, ttl=2 * TTL, now=NOON)
    assert {lease.stream for lease in kept} == {"b", "c"}

    await batch.execute("ROLLBACK")
    assert [lease.stream for lease in await leases.claim("two", limit=3, ttl=TTL, now=EXPIRED)] == ["a"]


async def test_releasing_waits_for_a_batch_and_then_finds_what_it_left(
    store: PostgresEventStore, leases: PostgresLeases, connect: Connect
) -> None:
    await grow(store, "a")
    held = await leases.claim("one", limit=1, ttl=TTL)
    batch = await connect()
    await lock(batch, "a")
    releasing = asyncio.create_task(leases.release(held))
    await batch.execute("UPDATE streams SET holder = 'two', epoch = epoch + 1 WHERE stream = 'a'")
    await batch.execute("COMMIT")
    await releasing

    assert await leases.claim("three", limit=1, ttl=TTL) == []


async def test_releasing_waits_for_an_append_and_ends_the_lease_on_the_row_that_it_left(
    store: PostgresEventStore, leases: PostgresLeases, database: Database, connect: Connect
) -> None:
    await grow(store, "a", "b")
    held = await leases.claim("one", limit=2, ttl=TTL)
    append = await connect()
    await append.execute("BEGIN; UPDATE streams SET version = version + 1 WHERE stream = 'a'")
    async with database.connection() as connection:
        name = await connection.fetchval("SELECT current_setting('application_name')")
    releasing = asyncio.create_task(leases.release(held))
    await until(append, waits_for_lock(name))
    await append.execute("COMMIT")
    await releasing

    granted = await leases.claim("two", limit=2, ttl=TTL)
    assert {(lease.stream, lease.version, lease.epoch) for lease in granted} == {("a", 3, 2), ("b", 2, 2)}


async def test_a_claim_decided_on_old_rows_is_decided_again(
    store: PostgresEventStore, leases: PostgresLeases, database: Database, connect: Connect
) -> None:
    """Many claims at once from many connections: whoever comes second sees what the first one did."""
    await grow(store, *(f"s{n}" for n in range(30)))
    for moment in range(4):
        now = NOON + moment * TTL
        grants = await asyncio.gather(*(leases.claim(f"h{n}", limit=10, ttl=TTL, now=now) for n in range(8)))
        taken = [lease.stream for grant in grants for lease in grant]
        assert len(taken) == len(set(taken)) <= 30
        rest = await leases.claim("rest", limit=30, ttl=TTL, now=now)
        assert sorted([*taken, *(lease.stream for lease in rest)]) == sorted(f"s{n}" for n in range(30))
        assert {lease.epoch for lease in rest} <= {moment + 1}


async def test_a_lease_is_judged_by_a_clock_that_moves_within_a_transaction(
    store: PostgresEventStore, connect: Connect
) -> None:
    """`now()` stands still from the beginning of a transaction on: by it, a lease would never end there."""
    await grow(store, "s")
    connection = await connect()

    async def run(statement: Statement, **values: object) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await connection.fetch(statement.sql, *statement.arguments(values))
        return rows

    await connection.execute("BEGIN")
    [lease] = await run(CLAIM, holder="one", limit=1, ttl=timedelta(milliseconds=20))
    await connection.execute("SELECT pg_sleep(0.03)")
    held = {"holder": "one", "epoch": lease["epoch"]}
    assert await run(ACKNOWLEDGE, stream="s", version=1, slot=5, **held) == []
    assert await run(RENEW, streams=["s"], epochs=[lease["epoch"]], holder="one", ttl=TTL) == []
    assert len(await run(CLAIM, holder="two", limit=1, ttl=TTL)) == 1


async def test_everything_is_counted(store: PostgresEventStore, leases: PostgresLeases, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(REGISTER, ["one", "two"])
    await grow(store, "a", "b", "c")

    held = await leases.claim("one", limit=2, ttl=TTL, now=NOON)
    assert await counters(database, "one") == (1, 2, 0)
    assert await leases.claim("two", limit=0, ttl=TTL, now=NOON) == []
    assert await counters(database, "two") == (0, 0, 0)

    await leases.acknowledge(held[0], 1, now=NOON)
    await leases.release(held)
    assert await counters(database, "one") == (1, 0, 0)
    stats = await read_stats(database)
    assert (stats.events, stats.streams, stats.projected, stats.backlog) == (6, 3, 1, 5)

    await leases.claim("one", limit=3, ttl=TTL, now=NOON)
    await leases.claim("two", limit=3, ttl=TTL, now=EXPIRED)
    assert await counters(database, "two") == (1, 3, 3)


@pytest.fixture
async def cursor(database: Database) -> str:
    await cursors.prepare(database, "todos")
    await cursors.prepare(database, "todos")
    return "todos"


async def test_the_cursor_has_one_holder_at_a_time(database: Database, cursor: str) -> None:
    grants = await asyncio.gather(
        *(cursors.claim(database, cursor, f"h{n}", ttl=TTL, now=NOON) for n in range(8)),
    )
    [lease] = [grant for grant in grants if grant]
    assert (lease.epoch, lease.position) == (1, 0)
    assert await cursors.claim(database, cursor, "late", ttl=TTL, now=EXPIRED - timedelta(microseconds=1)) is None

    heir = await cursors.claim(database, cursor, "heir", ttl=TTL, now=EXPIRED)
    assert heir
    assert heir.epoch == 2
    assert not await cursors.renew(database, lease, ttl=TTL, now=EXPIRED)
    await cursors.release(database, lease)
    assert await cursors.renew(database, heir, ttl=TTL, now=EXPIRED)
    await cursors.release(database, heir)
    assert await cursors.claim(database, cursor, "next", ttl=TTL, now=EXPIRED)


async def test_an_expired_cursor_lease_is_not_renewed(database: Database, cursor: str) -> None:
    lease = await cursors.claim(database, cursor, "one", ttl=TTL, now=NOON)
    assert lease
    assert await cursors.renew(database, lease, ttl=TTL, now=EXPIRED - timedelta(microseconds=1))
    assert not await cursors.renew(database, lease, ttl=TTL, now=EXPIRED + TTL)


async def test_a_cursor_lease_of_an_older_epoch_is_stale_for_its_own_holder_too(
    database: Database, cursor: str
) -> None:
    old = await cursors.claim(database, cursor, "one", ttl=TTL, now=NOON)
    new = await cursors.claim(database, cursor, "one", ttl=TTL, now=EXPIRED)
    assert old
    assert new

    assert not await cursors.renew(database, old, ttl=10 * TTL, now=EXPIRED)
    await cursors.release(database, old)
    assert await cursors.claim(database, cursor, "two", ttl=TTL, now=EXPIRED) is None
    assert await cursors.claim(database, cursor, "two", ttl=TTL, now=EXPIRED + TTL)


@pytest.mark.parametrize("column", ["blocked_at", "retry_at"])
async def test_a_cursor_that_is_blocked_or_waits_is_not_claimed(database: Database, cursor: str, column: str) -> None:
    async with database.connection() as connection:
        await connection.execute(f"UPDATE cursors SET {column} = $1", NOON + timedelta(seconds=1))
    assert await cursors.claim(database, cursor, "one", ttl=TTL, now=NOON) is None

    later = await cursors.claim(database, cursor, "one", ttl=TTL, now=NOON + timedelta(seconds=1))
    assert (later is None) == (column == "blocked_at")


async def test_neither_claim_nor_heartbeat_of_the_cursor_waits_for_a_batch(
    database: Database, cursor: str, connect: Connect
) -> None:
    lease = await cursors.claim(database, cursor, "one", ttl=TTL, now=NOON)
    assert lease
    batch = await connect()
    await batch.execute("BEGIN; SELECT FROM cursors FOR UPDATE")

    async with asyncio.timeout(BOUND_S):
        assert await cursors.renew(database, lease, ttl=2 * TTL, now=NOON)
        assert await cursors.claim(database, cursor, "two", ttl=TTL, now=EXPIRED) is None
    await batch.execute("ROLLBACK")
    assert await cursors.claim(database, cursor, "two", ttl=TTL, now=EXPIRED)
