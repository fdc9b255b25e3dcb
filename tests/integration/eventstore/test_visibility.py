"""The global order under writers that commit late, out of order, never, or past our own append."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import pytest

from eventstore.connection.database import Database
from eventstore.errors import StoreUnavailable
from eventstore.events import NO_STREAM, START, ExpectedVersion, NewEvent, Position
from eventstore.postgres import PostgresEventStore
from eventstore.visibility.safe_position import safe_position
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import until, waits_for_lock

EVENT = NewEvent("A", {})
ANNOUNCEMENTS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 29801"
)


async def write(connection: asyncpg.Connection, stream: str, version: int = 1) -> int:
    """What anybody with a SQL prompt can do: insert an event, past the append. Returns its position."""
    position: int = await connection.fetchval(
        "INSERT INTO public.events (stream, version, type, data) VALUES ($1, $2, 'A', '{}') RETURNING position",
        stream,
        version,
    )
    return position


class Reader:
    """Reads the log from where it stood, and remembers what it saw."""

    def __init__(self, store: PostgresEventStore) -> None:
        self.store = store
        self.position = START
        self.seen: list[int] = []

    async def read(self, limit: int = 1000) -> list[int]:
        """The positions that are new."""
        window = [event.position for event in await self.store.read_log(after=self.position, limit=limit)]
        self.position = window[-1] if window else self.position
        self.seen += window
        return list(window)


async def test_two_transactions_that_commit_out_of_order(store: PostgresEventStore, connect: Connect) -> None:
    early, late = await connect(), await connect()
    reader = Reader(store)
    await early.execute("BEGIN")
    first = await write(early, "s")
    second = await write(late, "t")

    assert await reader.read() == []
    await early.execute("COMMIT")
    assert await reader.read() == [first, second]


async def test_the_naive_reader_loses_the_event_that_commits_late(database: Database, connect: Connect) -> None:
    store = PostgresEventStore(database, visibility="naive")
    early, late = await connect(), await connect()
    reader = Reader(store)
    await early.execute("BEGIN")
    first = await write(early, "s")
    second = await write(late, "t")

    assert await reader.read() == [second]
    await early.execute("COMMIT")
    assert await reader.read() == []
    assert [event.position for event in await store.read_log(after=START)] == [first, second]


async def test_a_stalled_writer_stops_the_reader_and_nobody_else(
    store: PostgresEventStore, database: Database, connect: Connect
) -> None:
    before = await store.append("before", [EVENT], expected=NO_STREAM)
    stalled = await connect()
    await stalled.execute("BEGIN")
    position = await write(stalled, "stalled")

    appended = [await store.append(f"s{n}", [EVENT], expected=NO_STREAM) for n in range(3)]

    reader = Reader(store)
    assert await reader.read() == [before.position]
    assert await store.head() == appended[-1].position
    assert await safe_position(database) < position
    await stalled.execute("COMMIT")
    assert await reader.read() == [position, *(a.position for a in appended)]


async def test_a_writer_that_aborts_leaves_a_gap_and_no_obstacle(store: PostgresEventStore, connect: Connect) -> None:
    doomed, cut = await connect(), await connect()
    for connection, stream in ((doomed, "s"), (cut, "t")):
        await connection.execute("BEGIN")
        await write(connection, stream)
    last = await store.append("u", [EVENT], expected=NO_STREAM)

    await doomed.execute("ROLLBACK")
    assert await Reader(store).read() == []
    cut.terminate()
    await until(doomed, f"({ANNOUNCEMENTS}) = 0")
    assert await Reader(store).read() == [last.position]


async def test_a_writer_counts_before_it_has_taken_its_position(store: PostgresEventStore, connect: Connect) -> None:
    """The statement has begun, its first row is not there yet, and others overtake it."""
    gate, slow = await connect(), await connect()
    await gate.execute("SELECT pg_advisory_lock(7)")
    await slow.execute("SET application_name = 'slow'")
    writing = asyncio.create_task(
        slow.execute(
            "INSERT INTO events (stream, version, type, data)"
            " SELECT 'slow', 1, 'A', '{}' FROM (SELECT pg_advisory_xact_lock(7) OFFSET 0) AS gate"
        )
    )
    await until(gate, waits_for_lock("slow"))
    overtaken = await store.append("s", [EVENT], expected=NO_STREAM)

    reader = Reader(store)
    assert await reader.read() == []
    await gate.execute("SELECT pg_advisory_unlock(7)")
    await writing
    assert await reader.read() == [overtaken.position, overtaken.position + 1]


async def test_foreign_transactions_do_not_stall_the_reader(
    store: PostgresEventStore, connect: Connect, cluster_url: str
) -> None:
    report, other, elsewhere = await connect(), await connect(), await asyncpg.connect(cluster_url)
    try:
        await report.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await report.fetchval("SELECT count(*) FROM events")
        await other.execute("BEGIN")
        await other.execute("INSERT INTO cursors (name) VALUES ('other')")
        await other.execute("SELECT pg_advisory_xact_lock_shared(0), pg_advisory_xact_lock_shared(29801, 0)")
        await elsewhere.execute("BEGIN")
        await elsewhere.execute("SELECT pg_current_xact_id(), pg_advisory_xact_lock_shared(29801::bigint << 48)")
        appended = await store.append("s", [EVENT], expected=NO_STREAM)

        assert await Reader(store).read() == [appended.position]
    finally:
        await elsewhere.close()


async def test_a_transaction_of_many_statements_announces_itself_once(
    store: PostgresEventStore, database: Database, connect: Connect
) -> None:
    """One lock for each statement would fill the server's table of locks."""
    bulk = await connect()
    await bulk.execute("BEGIN")
    first = await write(bulk, "bulk")
    for version in range(2, 200):
        await store.append("s", [EVENT], expected=ExpectedVersion(version - 2))
        await write(bulk, "bulk", version)

    assert await bulk.fetchval(ANNOUNCEMENTS) == 1
    assert await safe_position(database) == first - 1
    await bulk.execute("COMMIT")
    assert len(await Reader(store).read()) == 199 + 198


async def test_savepoints_undo_both_announcement_and_positions(
    store: PostgresEventStore, database: Database, connect: Connect
) -> None:
    writer = await connect()
    await writer.execute("BEGIN; SAVEPOINT a")
    await write(writer, "undone")
    await writer.execute("ROLLBACK TO SAVEPOINT a")
    between = await store.append("s", [EVENT], expected=NO_STREAM)
    assert await safe_position(database) == between.position

    again = await write(writer, "kept")
    await store.append("s", [EVENT], expected=ExpectedVersion(1))
    assert await safe_position(database) == again - 1

    await writer.execute("SAVEPOINT b")
    await write(writer, "undone too")
    await writer.execute("ROLLBACK TO SAVEPOINT b")
    assert await safe_position(database) == again - 1
    await writer.execute("SAVEPOINT c")
    await write(writer, "kept too")
    await writer.execute("RELEASE SAVEPOINT c")
    await write(writer, "last")
    assert await safe_position(database) == again - 1

    await writer.execute("COMMIT")
    log = await store.read_log(after=START)
    assert [event.stream for event in log] == ["s", "kept", "s", "kept too", "last"]


async def test_a_prepared_transaction_holds_the_reader_until_it_is_decided(
    store: PostgresEventStore, connect: Connect
) -> None:
    writer = await connect()
    await writer.execute("BEGIN")
    position = await write(writer, "prepared")
    await writer.execute("PREPARE TRANSACTION 'tidemark test'")
    # The session goes on, and must announce its next transaction anew.
    await writer.execute("BEGIN")
    following = await write(writer, "next")
    appended = await store.append("s", [EVENT], expected=NO_STREAM)

    reader = Reader(store)
    assert await reader.read() == []
    await (await connect()).execute("COMMIT PREPARED 'tidemark test'")
    assert await reader.read() == [position]
    await writer.execute("COMMIT")
    assert await reader.read() == [following, appended.position]


async def test_nobody_brings_a_position(connect: Connect) -> None:
    writer = await connect()
    with pytest.raises(asyncpg.GeneratedAlwaysError):
        await writer.execute("INSERT INTO events (position, stream, version, type, data) VALUES (9, 's', 1, 'A', '{}')")
    await write(writer, "s")
    with pytest.raises(asyncpg.GeneratedAlwaysError):
        await writer.execute("UPDATE events SET position = 9")


async def test_positions_are_given_out_one_at_a_time(connect: Connect) -> None:
    sequence = "'events_position_seq'::regclass"
    assert await (await connect()).fetchval(f"SELECT seqcache FROM pg_sequence WHERE seqrelid = {sequence}") == 1


@pytest.mark.parametrize("far", [2**30, 2**31, 2**32, 2**40, 2**47])
async def test_positions_beyond_any_boundary_of_the_lock_table(
    store: PostgresEventStore, database: Database, connect: Connect, far: int
) -> None:
    old, new, admin = await connect(), await connect(), await connect()
    await old.execute("BEGIN")
    first = await write(old, "old")
    await admin.execute(f"SELECT setval('events_position_seq', {far - 2})")
    await new.execute("BEGIN")
    crossing = [await write(new, "new", version) for version in range(1, 4)]
    last = await store.append("s", [EVENT], expected=NO_STREAM)
    assert (crossing, last.position) == ([far - 1, far, far + 1], far + 2)

    assert await safe_position(database) == first - 1
    await old.execute("COMMIT")
    assert await safe_position(database) == far - 2
    await new.execute("COMMIT")
    assert await safe_position(database) == far + 2
    assert await Reader(store).read() == [first, *crossing, far + 2]


async def test_a_sequence_that_gave_out_nothing_yet(
    store: PostgresEventStore, database: Database, connect: Connect
) -> None:
    assert await safe_position(database) == 0
    writer, admin = await connect(), await connect()
    await admin.execute("ALTER SEQUENCE events_position_seq RESTART WITH 1000")
    assert await safe_position(database) == 0

    await writer.execute("BEGIN")
    assert await write(writer, "s") == 1000
    assert await safe_position(database) == 0
    await writer.execute("COMMIT")
    assert await safe_position(database) == 1000


@pytest.mark.usefixtures("own_database")
async def test_a_writer_that_begins_between_the_steps_of_the_answer(
    store: PostgresEventStore, connect: Connect
) -> None:
    """What was given out is read first, who is under way second: the other way round would pass over this writer."""
    gate, reader, writer = await connect(), await connect(), await connect()
    await gate.execute(
        "CREATE SCHEMA slow;"
        "CREATE FUNCTION slow.locks() RETURNS SETOF pg_catalog.pg_locks LANGUAGE plpgsql AS $$"
        " BEGIN RETURN QUERY SELECT * FROM pg_catalog.pg_locks; PERFORM pg_advisory_lock_shared(7); END $$;"
        "CREATE VIEW slow.pg_locks AS SELECT * FROM slow.locks();"
        "SELECT pg_advisory_lock(7)"
    )
    await reader.execute("SET application_name = 'reader'; SET search_path = slow, public, pg_catalog")
    answer = asyncio.create_task(reader.fetchval("SELECT safe_position()"))
    await until(gate, waits_for_lock("reader"))

    await writer.execute("BEGIN")
    position = await write(writer, "s")
    await gate.execute("SELECT pg_advisory_unlock(7)")
    assert await answer < position


async def test_a_setting_of_the_session_does_not_pass_for_an_announcement(
    store: PostgresEventStore, connect: Connect
) -> None:
    writer = await connect()
    for value in ("yes", "1", await writer.fetchval("SELECT pg_current_xact_id()::text")):
        await writer.execute(f"SET tidemark.announced = '{value}'; BEGIN")
        position = await write(writer, value)
        await store.append(f"after {value}", [EVENT], expected=NO_STREAM)
        assert position not in {event.position for event in await store.read_log(after=START)}
        assert await store.read_log(after=Position(position - 1)) == []
        await writer.execute("COMMIT")


@pytest.mark.usefixtures("own_database")
async def test_a_writer_with_another_search_path_is_covered(store: PostgresEventStore, connect: Connect) -> None:
    """Somebody else's sequence of the same name must not be taken for ours."""
    writer = await connect()
    await writer.execute(
        "CREATE SCHEMA decoy; SET search_path = decoy; CREATE SEQUENCE events_position_seq;"
        "SELECT setval('events_position_seq', 1000); BEGIN"
    )
    position = await write(writer, "s")
    await store.append("t", [EVENT], expected=NO_STREAM)

    reader = Reader(store)
    assert await reader.read() == []
    await writer.execute("COMMIT")
    assert await reader.read() == [position, position + 1]


async def test_an_append_that_waits_for_a_row_holds_nobody_back(
    store: PostgresEventStore, database: Database, connect: Connect
) -> None:
    await store.append("busy", [EVENT], expected=NO_STREAM)
    holder = await connect()
    await holder.execute("BEGIN; SELECT FROM streams WHERE stream = 'busy' FOR UPDATE")
    waiting = asyncio.create_task(store.append("busy", [EVENT], expected=ExpectedVersion(1)))
    await until(holder, waits_for_lock("tidemark"))

    other = await store.append("free", [EVENT], expected=NO_STREAM)
    assert await safe_position(database) == other.position
    assert await holder.fetchval(ANNOUNCEMENTS) == 0

    await holder.execute("COMMIT")
    assert (await waiting).version == 2


@pytest.mark.usefixtures("own_database")
async def test_a_standby_gives_no_safe_position(connect: Connect) -> None:
    standby = await connect()
    await standby.execute(
        "CREATE SCHEMA standby; CREATE FUNCTION standby.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true';"
        "SET search_path = standby, public, pg_catalog"
    )
    with pytest.raises(asyncpg.PostgresError, match="primary"):
        await standby.fetchval("SELECT safe_position()")


async def test_a_reader_behind_many_slow_writers_misses_nothing(store: PostgresEventStore, connect: Connect) -> None:
    """Writers that hold their position for a random while; a reader that never rests."""
    dice = random.Random(1)
    written: set[int] = set()
    stop = asyncio.Event()

    async def keep_writing(name: str) -> None:
        connection = await connect()
        for version in range(1, 31):
            await connection.execute("BEGIN")
            position = await write(connection, name, version)
            await asyncio.sleep(dice.choice((0, 0, 0.001, 0.004)))
            kept = dice.random() < 0.8
            await connection.execute("COMMIT" if kept else "ROLLBACK")
            if kept:
                written.add(position)

    reader = Reader(store)

    async def keep_reading() -> None:
        while not stop.is_set():
            await reader.read(limit=7)

    reading = asyncio.create_task(keep_reading())
    await asyncio.gather(*(keep_writing(f"w{n}") for n in range(12)))
    stop.set()
    await reading
    while await reader.read():
        pass
    assert reader.seen == sorted(written)


async def test_reading_while_the_store_is_away(database: Database, store: PostgresEventStore) -> None:
    await database.close()
    with pytest.raises(StoreUnavailable):
        await store.read_log(after=Position(0))
