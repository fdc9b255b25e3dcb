"""A reset of all goes step by step: right after each step, beside whoever works, and to be gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg
import pytest

from eventstore.connection.database import Database
from eventstore.errors import StoreBusy, TimeLimit
from projection import operator
from projection.operator import Steps
from tests.cluster import as_role
from tests.integration.projector.process import run
from tests.integration.projector.stage import CREATED, UPDATED, Stage, faults, leased, life, until
from tests.integration.sqlstates.trouble import locked
from tests.read_models import READ_MODELS

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])
STREAMS = 40
SMALL = 3
BACKLOGS = """
SELECT (SELECT sum(events) - sum(projected) FROM tallies) = (SELECT sum(version - projected) FROM streams)
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
SLOW = """
CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.02); RETURN OLD; END $$
"""

T = TypeVar("T")


class Stopped(Exception):
    """The command is broken off here."""


class Fragile(Steps):
    """Steps that break off after some, with the last one undone (`undone`) or committed."""

    def __init__(self, database: Database, left: int, *, undone: bool) -> None:
        super().__init__(database, READ_MODELS, most=SMALL)
        self._left = left
        self._undone = undone

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]], *, isolation: str = "read_committed") -> T:
        self._left -= 1
        if self._left:
            return await super().run(work, isolation=isolation)
        if not self._undone:
            await super().run(work, isolation=isolation)
            raise Stopped

        async def stopped(connection: asyncpg.Connection) -> T:
            await work(connection)
            raise Stopped

        return await super().run(stopped, isolation=isolation)


async def fill(stage: Stage) -> None:
    """Todos of one to three events, some deleted, in an order of their own."""
    for number in range(STREAMS):
        name = f"todo-{number * 7 % STREAMS:03}"
        await stage.append(name, *life("a", *"bc"[: number % 3], deleted=number % 4 == 0))


@asynccontextmanager
async def steps_for(stage: Stage, patience_s: float = 60.0) -> AsyncIterator[Steps]:
    """Small steps of a connection that is made now."""
    async with Database(as_role("operator", stage.url), pool_size=1) as database:
        yield Steps(database, READ_MODELS, most=SMALL, patience_s=patience_s)


async def assert_sound(stage: Stage, *, serial: bool) -> None:
    """What is projected is right, whatever is left to project, and the counters say so."""
    found = await stage.oracle(complete=False, serial=serial)
    assert faults(found) == {}, found.offenders
    assert await stage.value(BACKLOGS)


@pytest.mark.parametrize("undone", [True, False], ids=["undone", "committed"])
@pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])
async def test_broken_off_anywhere_it_is_right_and_can_be_gone_on_with(
    stage: Stage, serial: bool, undone: bool
) -> None:
    await fill(stage)
    await stage.catch_up(serial=serial)
    before = await stage.rows()
    async with Database(as_role("operator", stage.url), pool_size=1) as database:
        for left in (1, 2, 3, 8, 15, 16, 17, 18):
            with pytest.raises(Stopped):
                await operator.reset(Fragile(database, left, undone=undone), None)
            await assert_sound(stage, serial=serial)
        done = await operator.reset(Steps(database, READ_MODELS, most=SMALL), None)

    # What the attempts before it had forgotten was not forgotten again.
    assert done.streams < STREAMS
    stats = await stage.stats()
    assert (stats.projected, stats.backlog, await stage.rows()) == (0, sum(stage.versions.values()), [])
    await stage.catch_up(serial=serial)
    assert await stage.rows() == before
    await stage.assert_right(serial=serial)


async def test_it_can_be_gone_on_with_from_a_place(stage: Stage) -> None:
    await fill(stage)
    await stage.catch_up()
    async with steps_for(stage) as steps:
        done = await operator.reset(steps, None, after="todo-029")
    assert done.streams == 10
    assert await stage.value("SELECT min(stream) FROM streams WHERE projected = 0") == "todo-030"
    await assert_sound(stage, serial=False)


@pytest.mark.parametrize("kind", ["locks", "leases", "serial"])
async def test_beside_projectors_and_appends_every_moment_is_right(stage: Stage, kind: str) -> None:
    await fill(stage)
    serial = kind == "serial"
    make = leased(serial) if kind != "locks" else None
    appending = True

    async def append() -> None:
        number = 0
        while appending:
            number += 1
            name = f"new-{number % 20:02}" if number % 2 else f"todo-{number % STREAMS:03}-more"
            await stage.append(name, UPDATED if stage.versions[name] else CREATED)

    async def some_of_each() -> bool:
        return bool(await stage.value("SELECT count(*) >= $1 FROM streams WHERE projected > 0", STREAMS))

    deadlocks = await stage.value(DEADLOCKS)
    async with stage.projector(serial=serial, make=make), stage.projector(serial=serial, make=make):
        await until(stage.projected, "everything to be projected")
        writing = asyncio.create_task(append())
        async with steps_for(stage) as steps:
            for _ in range(3):
                # A stream of which nothing is projected has nothing to forget, and is not counted.
                await until(some_of_each, "something of each stream to be projected")
                resetting = asyncio.create_task(operator.reset(steps, None))
                while not resetting.done():
                    await assert_sound(stage, serial=serial)
                assert (await resetting).streams >= STREAMS
        appending = False
        await writing
        await until(stage.projected, "everything to be projected again")

    assert await stage.value(DEADLOCKS) == deadlocks
    await stage.assert_right(serial=serial)


async def test_a_serial_projector_stands_by_until_the_last_step(stage: Stage) -> None:
    await fill(stage)
    await stage.catch_up(serial=True)
    async with Database(as_role("operator", stage.url), pool_size=1) as database:
        with pytest.raises(Stopped):
            await operator.reset(Fragile(database, 4, undone=False), None)
        async with stage.prepared(serial=True) as worker:
            await worker.strategy.prepare()
            assert (await worker.strategy.step()).events == 0
            await operator.reset(Steps(database, READ_MODELS, most=SMALL), None)
            assert (await worker.strategy.step()).events == sum(stage.versions.values())
            await worker.strategy.release()

    await stage.assert_right(serial=True)


@asynccontextmanager
async def limited(stage: Stage, limit: str) -> AsyncIterator[None]:
    """The DBA gives the operator's role a limit, and each row of todos takes 20 ms to be deleted."""
    place = f"ROLE tidemark_operator IN DATABASE {stage.url.rpartition('/')[2]}"
    await stage.sql(f"ALTER {place} SET {limit}")
    await stage.sql(SLOW)
    await stage.sql("CREATE TRIGGER slow BEFORE DELETE ON todos FOR EACH ROW EXECUTE FUNCTION slow()")
    try:
        yield
    finally:
        await stage.sql("DROP TRIGGER slow ON todos")
        await stage.sql(f"ALTER {place} RESET ALL")


@pytest.mark.parametrize("limit", ["statement_timeout = '250ms'", "transaction_timeout = '300ms'"])
async def test_steps_shrink_until_they_fit_in_a_time_limit(stage: Stage, limit: str) -> None:
    await fill(stage)
    await stage.catch_up()
    async with limited(stage, limit), Database(as_role("operator", stage.url), pool_size=1) as database:
        done = await operator.reset(Steps(database, READ_MODELS), None)
    assert done.rows["todos"] == STREAMS
    await assert_sound(stage, serial=False)
    await stage.catch_up()
    await stage.assert_right()


async def test_a_limit_in_which_not_even_one_stream_fits_is_named(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    async with limited(stage, "statement_timeout = '10ms'"), steps_for(stage, patience_s=0.5) as steps:
        with pytest.raises(TimeLimit, match="statement timeout"):
            await operator.reset(steps, "todo-1")
    await stage.assert_right()


@pytest.mark.parametrize("limit", ["", "SET lock_timeout = '50ms'"])
async def test_a_lock_of_somebody_else_is_waited_for(stage: Stage, limit: str) -> None:
    await fill(stage)
    await stage.catch_up()
    place = f"ROLE tidemark_operator IN DATABASE {stage.url.rpartition('/')[2]}"
    if limit:
        await stage.sql(f"ALTER {place} {limit}")
    other = await asyncpg.connect(stage.url)
    try:
        await other.execute("BEGIN; LOCK TABLE todos IN SHARE MODE")
        async with steps_for(stage, patience_s=0.3) as steps:
            with pytest.raises(StoreBusy, match="lock timeout"):
                await operator.reset(steps, None)
        ended = await run(stage.url, "reset", "--all", "--timeout", "0.3")
        assert (ended.code, ended.out) == (75, "")
        assert "gave up" in ended.err
        assert "lock timeout" in ended.err
        async with steps_for(stage) as steps:
            resetting = asyncio.create_task(operator.reset(steps, None))
            await until(stage.waiting, "the command to wait for the lock")
            await other.execute("COMMIT")
            assert (await resetting).rows["todos"] == STREAMS
    finally:
        await other.close()
        await stage.sql(f"ALTER {place} RESET ALL")
    await stage.catch_up()
    await stage.assert_right()


async def test_unblock_of_all_goes_in_steps_and_leaves_what_is_blocked_anew(stage: Stage) -> None:
    for number in range(10):
        await stage.append(f"bad-{number}", UPDATED)
    await stage.catch_up(attempts=1)
    said: list[str] = []
    async with Database(as_role("operator", stage.url), pool_size=1) as database:
        done = await operator.unblock(Steps(database, READ_MODELS, most=SMALL, say=said.append), None)
    assert (done.streams, (await stage.stats()).blocked_streams) == (10, 0)


async def test_what_is_needed_for_the_progress_alone_holds_up_no_reset(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    async with locked(stage.url, "projectors", "ACCESS EXCLUSIVE"):
        ended = await run(stage.url, "reset", "--all", "--timeout", "1")
        assert ended.code == 0, ended.err
        assert ended.out.startswith("reset 1 streams")
    await stage.catch_up()
    await stage.assert_right()
