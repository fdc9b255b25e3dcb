"""A server that ends long statements: the batch is halved until it fits, and no event is blamed for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.projector.endings import Ending
from services.projector.patience import DoesNotFit
from tests.integration.projector.process import run
from tests.integration.projector.stage import CREATED, Stage, until
from tests.integration.sqlstates.trouble import STRATEGIES, blamed, database_setting, for_seconds

EACH_STRATEGY = pytest.mark.parametrize("strategy", STRATEGIES)
MANY = """
WITH made AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT 'todo-' || n, 1, clock_timestamp() FROM generate_series(1, 400) AS n
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT 'todo-' || n, 1, 'TodoCreated', '{"text": "milk"}' FROM generate_series(1, 400) AS n
)
INSERT INTO tallies (slot, events, streams) VALUES (0, 400, 400)
"""


@asynccontextmanager
async def slow_rows(url: str, seconds: float) -> AsyncIterator[None]:
    """Until the block ends, each row of the projection costs so much."""
    admin = await asyncpg.connect(url)
    await admin.execute(f"""
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON todos FOR EACH ROW EXECUTE FUNCTION slow();
    """)
    try:
        yield
    finally:
        await admin.execute("SET statement_timeout = 0; DROP TRIGGER slow ON todos; DROP FUNCTION slow()")
        await admin.close()


@pytest.mark.parametrize("once", [False, True], ids=["live", "job"])
@EACH_STRATEGY
async def test_a_backlog_that_does_not_fit_is_projected_in_smaller_pieces(
    stage: Stage, strategy: str, once: bool
) -> None:
    """400 rows take some 800 ms; a statement may take 300."""
    await stage.sql(MANY)
    async with database_setting(stage.url, "statement_timeout", "300ms"), slow_rows(stage.url, 0.002):
        if once:
            await stage.catch_up(**STRATEGIES[strategy])
        else:
            async with stage.projector(**STRATEGIES[strategy]):
                await until(stage.projected, "all events to be projected")
    assert await stage.projected()
    assert await blamed(stage) == 0
    verification = await stage.oracle(serial=strategy == "serial")
    assert verification.correctness.events_checked == 400
    assert verification.correctness.lost == verification.correctness.duplicated == 0


@pytest.mark.parametrize("limit", ["statement_timeout", "transaction_timeout"])
@EACH_STRATEGY
async def test_a_job_that_can_not_keep_a_limit_ends_and_names_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, strategy: str, limit: str
) -> None:
    monkeypatch.setattr("services.projector.patience.LIMITS_IN_A_ROW", 3)
    await stage.append("todo-1", CREATED)
    async with database_setting(stage.url, limit, "200ms"), slow_rows(stage.url, 5.0):
        with pytest.raises(DoesNotFit, match=f"{limit}=200ms .set by ALTER DATABASE"):
            await stage.catch_up(**STRATEGIES[strategy])
    assert await blamed(stage) == 0
    await stage.catch_up(**STRATEGIES[strategy])
    await stage.assert_right(serial=strategy == "serial")


@EACH_STRATEGY
async def test_live_it_waits_until_the_limit_can_be_kept(stage: Stage, strategy: str) -> None:
    async with (
        database_setting(stage.url, "statement_timeout", "200ms"),
        stage.projector(**STRATEGIES[strategy]) as projector,
    ):
        async with slow_rows(stage.url, 5.0):
            await stage.append("todo-1", CREATED)
            await for_seconds(2)
            assert not projector.task.done()
            assert not await stage.projected()
        await until(stage.projected, "the event to be projected")
    assert await blamed(stage) == 0
    await stage.assert_right(serial=strategy == "serial")


async def test_the_exit_code_of_a_job_that_can_not_keep_a_limit(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    async with database_setting(stage.url, "statement_timeout", "300ms"), slow_rows(stage.url, 5.0):
        ended = await run(stage.url, "--once", SERIAL_PROJECTION="true")
    assert ended.code == Ending.TIME_LIMIT
    assert "statement_timeout=300ms (set by ALTER DATABASE)" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err
