"""Who holds the oldest snapshot and the lowest announcement: sessions, prepared transactions, foreign roles."""

from __future__ import annotations

import asyncpg

from eventstore.connection.database import Database
from eventstore.events import NO_STREAM, NewEvent
from eventstore.postgres import PostgresEventStore
from eventstore.visibility.holders import Holder, Holders, read_holders
from tests.cluster import Cluster, as_role
from tests.integration.eventstore.conftest import Connect

WRITE = "INSERT INTO events (stream, version, type, data) VALUES ('slow', 1, 'A', '{}')"


async def append(store: PostgresEventStore, *streams: str) -> None:
    for stream in streams:
        await store.append(stream, [NewEvent("TodoCreated", {"text": "a"})], expected=NO_STREAM)


async def named(connect: Connect, name: str) -> asyncpg.Connection:
    connection = await connect()
    await connection.execute(f"SET application_name = '{name}'")
    return connection


async def test_nobody_holds_anything_back(database: Database) -> None:
    found = await read_holders(database)
    assert found == Holders(found.observed_at, found.dead_streams, None, None)


async def test_an_idle_snapshot(database: Database, store: PostgresEventStore, connect: Connect) -> None:
    await append(store, "a")
    idle, later = await named(connect, "report"), await named(connect, "later")
    await idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await idle.execute("SELECT FROM events")
    since = await idle.fetchval("SELECT now()")
    await append(store, "b", "c")
    await later.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await later.execute("SELECT FROM events")

    found = (await read_holders(database)).snapshot
    assert found == Holder("session", idle.get_server_pid(), "report", "idle in transaction", since, 2)
    await idle.execute("COMMIT")
    found = (await read_holders(database)).snapshot
    assert found is not None
    assert found.name == "later"


async def test_a_role_that_may_know_no_more_is_told_pid_and_name(url: str, connect: Connect) -> None:
    idle = await named(connect, "import")
    await idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await idle.execute(WRITE)
    async with Database(as_role("api", url), pool_size=1) as database:
        found = await read_holders(database)
    for holder in (found.snapshot, found.announcement):
        assert holder == Holder("session", idle.get_server_pid(), "import", None, None, 1)


async def test_a_writer_that_stalls(database: Database, store: PostgresEventStore, connect: Connect) -> None:
    await append(store, "a")
    writer = await named(connect, "import")
    await writer.execute("BEGIN")
    await writer.execute(WRITE)
    since = await writer.fetchval("SELECT now()")
    await append(store, "b", "c")

    found = await read_holders(database)
    # Its own position, and two more.
    assert found.announcement == Holder("session", writer.get_server_pid(), "import", "idle in transaction", since, 3)
    assert found.snapshot is not None
    assert found.snapshot.pid == writer.get_server_pid()


async def test_a_prepared_transaction(database: Database, store: PostgresEventStore, connect: Connect) -> None:
    writer = await named(connect, "two-phase")
    await writer.execute("BEGIN")
    await writer.execute(WRITE)
    await writer.execute("PREPARE TRANSACTION 'left behind'")
    try:
        await append(store, "b")
        found = await read_holders(database)
        for holder in (found.snapshot, found.announcement):
            assert holder is not None
            assert (holder.kind, holder.pid, holder.name) == ("prepared transaction", None, "left behind")
            assert holder.since is not None
    finally:
        await writer.execute("ROLLBACK PREPARED 'left behind'")


async def test_a_snapshot_of_another_database_holds_nothing_back(database: Database, cluster: Cluster) -> None:
    other = await asyncpg.connect(cluster.create())
    try:
        await other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await other.execute("SELECT FROM events")
        assert (await read_holders(database)).snapshot is None
    finally:
        await other.close()
