"""What passes, and what does not, under an operator's commands and under migrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from projection import operator
from services.projector.endings import Ending
from tests.cluster import Cluster
from tests.integration.migrations.databases import start
from tests.integration.projector.process import run
from tests.integration.projector.stage import CREATED, UPDATED, Stage, life
from tests.integration.sqlstates.trouble import PASSING, blamed, database_setting, for_seconds, locked, raised


@pytest.mark.parametrize("code", PASSING)
async def test_a_reset_goes_on_when_it_is_over(stage: Stage, code: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", CREATED)
    await stage.catch_up()
    async with raised(stage.url, "streams", code, times=2):
        await operator.reset(stage.steps, None)
    await stage.catch_up()
    assert await blamed(stage) == 0
    await stage.assert_right()


@pytest.mark.parametrize("command", [("reset", "--all"), ("reset", "todo-1"), ("unblock", "--all"), ("recount",)])
async def test_a_command_waits_for_a_lock(stage: Stage, command: tuple[str, ...]) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.catch_up()
    async with database_setting(stage.url, "lock_timeout", "50ms"):
        async with locked(stage.url, "streams"), locked(stage.url, "todos"):
            task = asyncio.create_task(run(stage.url, *command))
            await for_seconds(3)
        ended = await task
    assert ended.code == Ending.DONE, ended.err
    await stage.catch_up()
    await stage.assert_right()


async def test_a_command_that_has_waited_long_enough_says_so(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    await stage.append("todo-1", UPDATED)
    async with database_setting(stage.url, "lock_timeout", "50ms"), locked(stage.url, "streams", "ACCESS EXCLUSIVE"):
        ended = await run(stage.url, "reset", "todo-1", "--timeout", "1")
    assert ended.code == Ending.AWAY
    assert "lock timeout" in ended.err
    assert "Traceback" not in ended.err


@asynccontextmanager
async def refused(url: str, code: str) -> AsyncIterator[None]:
    """Every change of the schema meets the SQLSTATE."""
    admin = await asyncpg.connect(url)
    await admin.execute(f"""
        CREATE FUNCTION plant() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF current_setting('tidemark.planting', true) IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'planted {code}';
          END IF;
        END $$;
        CREATE EVENT TRIGGER plant ON ddl_command_start EXECUTE FUNCTION plant();
    """)
    try:
        yield
    finally:
        await admin.execute("SET tidemark.planting = 'off'")
        await admin.execute("DROP EVENT TRIGGER plant; DROP FUNCTION plant()")
        await admin.close()


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        *((code, True) for code in ("40P01", "57014", "53100", "25006")),
        *((code, False) for code in ("23514", "P0001", "42501")),
    ],
)
async def test_a_migration_says_what_stood_in_its_way(cluster: Cluster, code: str, passing: bool) -> None:
    async with cluster.database(migrated=False) as url:
        async with refused(url, code):
            process = await start("upgrade", url)
            _, err = await process.communicate()
        assert process.returncode == 1
        (line,) = err.decode().splitlines()
        assert f"planted {code}" in line
        assert ("run it again" in line) == passing

        process = await start("upgrade", url)
        await process.communicate()
        assert process.returncode == 0
