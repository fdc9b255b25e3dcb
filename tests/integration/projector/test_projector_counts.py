"""What a projector counts for itself reaches its row, and from there `/stats` and `/metrics`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from eventstore.connection.database import Database
from eventstore.errors import TimeLimit
from tests.integration.projector.stage import CREATED, Stage, until

BEATS = timedelta(seconds=0.5)


async def test_the_heartbeat_tells_how_the_projector_is(stage: Stage) -> None:
    async with stage.projector(lease=BEATS, name="one"):

        async def told() -> bool:
            stats = await stage.stats()
            return any(one.listening and one.connections_open > 0 for one in stats.projectors)

        await until(told, "the heartbeat")
        known = await stage.known("one")
        assert (known.sessions, known.time_limits, known.fenced) == (1, 0, 0)
    known = await stage.known("one")
    assert (known.alive, known.listening) == (False, False)


async def test_a_time_limit_is_counted(stage: Stage) -> None:
    async with Database(stage.url, pool_size=1) as database:
        with pytest.raises(TimeLimit):
            async with database.connection() as connection:
                await connection.execute("SET statement_timeout = '10ms'; SELECT pg_sleep(10)")
        assert (database.usage.time_limits, database.usage.used, database.usage.awaited) == (1, 0, 0)


async def test_each_time_that_the_store_is_back_is_counted(stage: Stage) -> None:
    async with stage.projector(name="one"):
        async with stage.batches_held_back():
            await stage.append("todo-1", CREATED)
            await until(stage.waiting, "the batch to wait, with everything written")
            await stage.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE NOT granted")
        await until(stage.projected, "the projector to begin again")
        assert (await stage.known("one")).sessions == 2
