"""What an operator, a switchover or a DBA does to a live system: afterwards all flows again, and nobody is blamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from eventstore.errors import StoreUnavailable
from tests.integration.projector.stage import CREATED, UPDATED, Stage, until
from tests.integration.sqlstates.trouble import STRATEGIES, WRITTEN, blamed, database_setting, for_seconds, locked

EACH_STRATEGY = pytest.mark.parametrize("strategy", STRATEGIES)


@pytest.mark.parametrize("handler_latency", [0.0, 0.001])
@EACH_STRATEGY
async def test_a_server_that_became_read_only_and_came_back(
    stage: Stage, strategy: str, handler_latency: float
) -> None:
    """The sessions that were opened meanwhile stay read-only for ever, and are the ones that are left at the end."""
    await stage.append("todo-1", CREATED)
    options = {**STRATEGIES[strategy], "handler_latency": handler_latency, "lease": timedelta(seconds=0.9)}
    async with stage.projector(**options) as projector:
        await until(stage.projected, "the first event to be projected")
        async with database_setting(stage.url, "default_transaction_read_only", "on"):
            await until(lambda: refused(stage), "the appends to be refused")
            await for_seconds(1.5)
            assert not projector.task.done()
        await stage.append("todo-1", UPDATED)
        await stage.append("todo-2", CREATED)
        await until(stage.projected, "what came later to be projected")
    assert await blamed(stage) == 0
    await stage.assert_right(serial=strategy == "serial")


async def refused(stage: Stage) -> bool:
    try:
        await stage.append("never", CREATED)
    except StoreUnavailable as error:
        return "read-only" in str(error)
    return False


@pytest.mark.parametrize("table", [*WRITTEN, "events", "cursors"])
@EACH_STRATEGY
async def test_a_table_that_somebody_indexes(stage: Stage, strategy: str, table: str) -> None:
    """`lock_timeout` of a DBA, and a lock for many attempts' worth of it: the projector's rows are not to be had."""
    async with database_setting(stage.url, "lock_timeout", "50ms"):
        await stage.append("todo-1", CREATED)
        async with stage.projector(**STRATEGIES[strategy]) as projector:
            await until(stage.projected, "the first event to be projected")
            mode = "ACCESS EXCLUSIVE" if table == "events" else "SHARE"
            await stage.append("todo-1", UPDATED)
            await stage.append("todo-2", CREATED)
            async with locked(stage.url, table, mode):
                await for_seconds(1.5)
                assert not projector.task.done()
            await until(stage.projected, "what came later to be projected")
    assert await blamed(stage) == 0
    await stage.assert_right(serial=strategy == "serial")


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
@pytest.mark.parametrize("strategy", ["stream-leases", "claim-and-project"])
async def test_a_row_that_somebody_has_holds_up_its_stream_alone(stage: Stage, strategy: str, limit: str) -> None:
    async with database_setting(stage.url, limit, "100ms"):
        for number in range(20):
            await stage.append(f"todo-{number}", CREATED)
        await stage.catch_up()
        for number in range(20):
            await stage.append(f"todo-{number}", UPDATED)
        async with stage.projector(**STRATEGIES[strategy], streams_in_flight=40):
            async with row_held(stage.url, "todo-7"):
                for number in range(20):
                    await stage.append(f"todo-{number}", UPDATED)
                await until(lambda: others_done(stage), "the other streams to be projected")
            await until(stage.projected, "the stream to be projected")
    assert await blamed(stage) == 0
    await stage.assert_right()


@asynccontextmanager
async def row_held(url: str, id: str) -> AsyncIterator[None]:
    holder = await asyncpg.connect(url)
    try:
        await holder.execute(f"BEGIN; SELECT FROM todos WHERE id = '{id}' FOR UPDATE")
        yield
    finally:
        await holder.close()


async def others_done(stage: Stage) -> bool:
    versions = await stage.versions_projected()
    return {version for id, version in versions.items() if id != "todo-7"} == {3} and versions["todo-7"] < 3


@EACH_STRATEGY
async def test_a_deadlock_with_somebody_elses_session(stage: Stage, strategy: str) -> None:
    """Rows of `todos` and of the counters, taken in the other order; the server ends one of the two."""
    async with database_setting(stage.url, "deadlock_timeout", "20ms"):
        for number in range(5):
            await stage.append(f"todo-{number}", CREATED)
        await stage.catch_up(**STRATEGIES[strategy])
        foreign = await asyncpg.connect(stage.url)
        for round in range(8):
            for number in range(5):
                await stage.append(f"todo-{number}", UPDATED)
            async with stage.projector(**STRATEGIES[strategy]) as projector:
                await cross(foreign, round)
                await until(stage.projected, "the events to be projected")
                assert not projector.task.done()
        await foreign.close()
    assert await blamed(stage) == 0
    await stage.assert_right(serial=strategy == "serial")


async def cross(foreign: asyncpg.Connection, round: int) -> None:
    try:
        async with foreign.transaction():
            await foreign.execute("UPDATE projectors SET seen_at = seen_at")
            await asyncio.sleep(0.02)
            await foreign.execute("UPDATE todos SET text = text WHERE id = $1", f"todo-{round % 5}")
    except asyncpg.DeadlockDetectedError:
        pass
