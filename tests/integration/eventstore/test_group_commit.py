"""Appends that share a statement: what goes wrong for one must not go wrong for another."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import asyncpg
import pytest

from eventstore.append import group_commit
from eventstore.append.general import Append, append_all
from eventstore.append.group_commit import GroupCommit
from eventstore.append.statements import RUN
from eventstore.connection.bounds import Bounds
from eventstore.connection.database import Database
from eventstore.errors import InvalidEvent, StoreBusy, StoreUnavailable, VersionConflict
from eventstore.events import NO_STREAM, START, Appended, ExpectedVersion, IdempotencyKey, NewEvent
from eventstore.postgres import PostgresEventStore
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import BOUND_S, until, waits_for_lock

EVENT = NewEvent("A", {})
BUSY = waits_for_lock("tidemark")


@pytest.fixture
async def lane(database: Database) -> AsyncIterator[PostgresEventStore]:
    """A store with one statement under way at most: what comes meanwhile goes together."""
    store = PostgresEventStore(database, lanes=1)
    yield store
    await store.close()


def at_once(store: PostgresEventStore, *streams: str) -> list[asyncio.Task[Appended]]:
    """Appends that share a statement, behind one that goes first."""
    return [asyncio.create_task(store.append(s, [EVENT], expected=NO_STREAM)) for s in ("first", *streams)][1:]


async def lock_streams(connection: asyncpg.Connection, *streams: str) -> None:
    """Hold rows as a stuck transaction would: made, not committed."""
    await connection.execute("BEGIN")
    for stream in streams:
        await connection.execute("INSERT INTO streams (stream, version) VALUES ($1, 0)", stream)


async def answers(tasks: Sequence[Coroutine[Any, Any, Any] | asyncio.Task[Any]]) -> list[Any]:
    async with asyncio.timeout(BOUND_S):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_lost_connection_leaves_its_own_statement_unknown_and_no_other(
    lane: PostgresEventStore, connect: Connect
) -> None:
    holder = await connect()
    await lock_streams(holder, "locked")
    batch = at_once(lane, "locked", "a", "b")
    await until(holder, BUSY)
    later = asyncio.create_task(lane.append("later", [EVENT], expected=NO_STREAM))
    await holder.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    assert [type(answer) for answer in await answers(batch)] == [StoreUnavailable] * 3
    assert (await later).version == 1
    assert {event.stream for event in await lane.read_log(after=START)} <= {"first", "later"}
    assert (await lane.append("a", [EVENT], expected=NO_STREAM)).version == 1


async def test_an_answer_that_is_lost_after_the_commit_is_no_refusal(
    lane: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told that the outcome is unknown; its key finds the result."""

    async def commit_and_lose(connection: asyncpg.Connection, appends: Sequence[Append], **named: Any) -> Any:
        await append_all(connection, appends, **named)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    key = IdempotencyKey("k", "body")
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "RUN", {**RUN, "general": commit_and_lose})
        with pytest.raises(StoreUnavailable):
            await lane.append("s", [EVENT], expected=NO_STREAM, key=key)

    assert (await lane.append("s", [EVENT], expected=NO_STREAM, key=key)).replayed


async def test_a_stream_that_is_kept_locked_delays_only_itself(lane: PostgresEventStore, connect: Connect) -> None:
    holder = await connect()
    await lock_streams(holder, "locked")
    locked, *batch = at_once(lane, "locked", *(f"s{n}" for n in range(20)))

    assert [answer.version for answer in await answers(batch)] == [1] * 20
    assert [a.version for a in await answers([lane.append(f"t{n}", [EVENT], expected=NO_STREAM) for n in range(20)])]
    assert not locked.done()

    await holder.execute("ROLLBACK")
    assert (await locked).version == 1


async def test_locked_streams_leave_a_lane_to_the_others(store: PostgresEventStore, connect: Connect) -> None:
    holder = await connect()
    names = [f"locked{n}" for n in range(4)]
    await lock_streams(holder, *names)
    locked = [asyncio.create_task(store.append(name, [EVENT], expected=NO_STREAM)) for name in names]
    for round in range(5):
        await until(holder, BUSY)
        await answers([store.append(f"r{round}-{n}", [EVENT], expected=NO_STREAM) for n in range(10)])
    assert len(await store.read_log(after=START)) == 50

    await holder.execute("COMMIT")
    assert [type(answer) for answer in await answers(locked)] == [VersionConflict] * 4


async def test_a_lock_without_end_is_given_up_by_the_one_that_met_it(url: str, connect: Connect) -> None:
    holder = await connect()
    await lock_streams(holder, "locked")
    async with Database(url, bounds=Bounds(1.0)) as database:
        store = PostgresEventStore(database, lanes=1)
        locked, other = at_once(store, "locked", "other")
        assert (await other).version == 1
        with pytest.raises(StoreUnavailable, match="locked"):
            await locked
        await holder.execute("ROLLBACK")
        assert (await store.append("locked", [EVENT], expected=NO_STREAM)).version == 1
        await store.close()


@pytest.mark.usefixtures("own_database")
async def test_what_postgres_refuses_is_told_to_whom_it_concerns(database: Database, connect: Connect) -> None:
    """Not JSON after all, and a rule of the database: neither hits those that share the statement."""
    await (await connect()).execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;"
        "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.type = 'Poison')"
        " EXECUTE FUNCTION poison()"
    )
    group_commit = GroupCommit(database, lanes=1)
    appends = [Append(f"s{n}", ("A",), ("{}",), NO_STREAM) for n in range(12)]
    appends[3] = Append("bad", ("A",), ("not json",), NO_STREAM)
    appends[7] = Append("poison", ("Poison",), ("{}",), NO_STREAM)

    outcomes = await answers([group_commit.append(append) for append in appends])

    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {Appended: 10, InvalidEvent: 2}
    assert isinstance(outcomes[3], InvalidEvent)
    await group_commit.close()


@pytest.mark.usefixtures("own_database")
async def test_a_defect_is_seen_as_one(lane: PostgresEventStore, connect: Connect) -> None:
    await (await connect()).execute("ALTER TABLE tallies RENAME TO elsewhere")
    with pytest.raises(asyncpg.UndefinedTableError):
        await lane.append("s", [EVENT], expected=NO_STREAM)


async def test_a_caller_that_goes_before_its_turn_has_written_nothing(
    lane: PostgresEventStore, connect: Connect
) -> None:
    holder = await connect()
    await lock_streams(holder, "first")
    first = asyncio.create_task(lane.append("first", [EVENT], expected=NO_STREAM))
    await until(holder, BUSY)
    gone = asyncio.create_task(lane.append("gone", [EVENT], expected=NO_STREAM))
    await asyncio.sleep(0)
    gone.cancel()
    await holder.execute("ROLLBACK")

    await first
    assert (await lane.append("gone", [EVENT], expected=NO_STREAM)).version == 1


async def test_a_caller_that_goes_with_two_appends_under_way_breaks_nothing(
    store: PostgresEventStore, database: Database, connect: Connect
) -> None:
    holder = await connect()
    await lock_streams(holder, "one", "two")
    keys = {stream: IdempotencyKey(stream, "body") for stream in ("one", "two")}

    async def caller() -> None:
        async with asyncio.TaskGroup() as group:
            for stream, key in keys.items():
                group.create_task(store.append(stream, [EVENT], expected=NO_STREAM, key=key))

    calling = asyncio.create_task(caller())
    await until(holder, BUSY)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert (await store.append("other", [EVENT], expected=NO_STREAM)).version == 1
    await holder.execute("ROLLBACK")

    # The same call again: what went on without its caller is found, the rest is written.
    again = await answers([store.append(s, [EVENT], expected=NO_STREAM, key=key) for s, key in keys.items()])
    assert [appended.version for appended in again] == [1, 1]
    assert len(await store.read_log(after=START)) == 3
    assert [len(await store.read_stream(stream)) for stream in keys] == [1, 1]


async def test_the_queue_has_an_end(
    lane: PostgresEventStore, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_QUEUED", 3)
    holder = await connect()
    await lock_streams(holder, "first")
    waiting = []
    for stream in ("first", "a", "b", "c"):
        waiting.append(asyncio.create_task(lane.append(stream, [EVENT], expected=NO_STREAM)))
        # Its turn to be queued, then the lane's turn to take it from there.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with pytest.raises(StoreBusy, match="queued"):
        await lane.append("d", [EVENT], expected=NO_STREAM)
    await holder.execute("ROLLBACK")
    assert [answer.version for answer in await answers(waiting)] == [1] * 4


async def test_closing_finishes_the_line_then_refuses(database: Database) -> None:
    store = PostgresEventStore(database, lanes=1)
    waiting = [asyncio.create_task(store.append(f"s{n}", [EVENT], expected=NO_STREAM)) for n in range(30)]
    await asyncio.sleep(0)

    await store.close()

    assert [task.result().version for task in waiting] == [1] * 30
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.append("s", [EVENT], expected=NO_STREAM)


NEW_STREAM = "INSERT INTO streams (stream, version) VALUES ($1, 0)"
OLD_STREAM = "SELECT FROM streams WHERE stream = $1 FOR UPDATE"
KEY = "INSERT INTO idempotency_keys (key, fingerprint, stream, version) VALUES ($1, 'f', 's', 1)"


@pytest.mark.parametrize("what", [NEW_STREAM, OLD_STREAM, KEY], ids=["new-streams", "old-streams", "keys"])
async def test_what_a_statement_locks_it_locks_in_the_order_of_names(
    lane: PostgresEventStore, connect: Connect, what: str
) -> None:
    """So two statements can not wait for each other. This one, of z and a, waits for a, and has not touched z yet."""
    expected = NO_STREAM
    if what == OLD_STREAM:
        expected = ExpectedVersion((await lane.append("a", [EVENT], expected=NO_STREAM)).version)
        await lane.append("z", [EVENT], expected=NO_STREAM)
    holder, other = await connect(), await connect()
    await other.execute("SET lock_timeout = '150ms'; BEGIN")
    await holder.execute("BEGIN")
    await holder.execute(what, "a")

    async def append(stream: str, key: str) -> Appended:
        return await lane.append(stream, [EVENT], expected=expected, key=IdempotencyKey(key, "f"))

    first = asyncio.create_task(lane.append("first", [EVENT], expected=NO_STREAM))
    wants = [("s", "z"), ("t", "a")] if what == KEY else [("z", "z"), ("a", "a")]
    if what != KEY:
        wants = [(stream, f"key of {key}") for stream, key in wants]
    batch = [asyncio.create_task(append(*want)) for want in wants]
    await first
    await until(holder, BUSY)

    # On a machine so slow that the statement has given up by now, z was appended alone.
    with contextlib.suppress(asyncpg.UniqueViolationError):
        await other.execute(what, "z")
    await other.execute("ROLLBACK")
    await holder.execute("ROLLBACK")
    assert [appended.version for appended in await answers(batch)] == [expected + 1] * 2
