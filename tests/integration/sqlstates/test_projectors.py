"""Each class of SQLSTATE, raised inside a projector's statements: what passes blames nobody, a poison does."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Final

import asyncpg
import pytest

from tests.integration.projector.stage import CREATED, UPDATED, Stage, life, until
from tests.integration.sqlstates.trouble import (
    DEFECT,
    PASSING,
    POISON,
    STRATEGIES,
    WRITTEN,
    blamed,
    planted,
    raised,
)

LEASE: Final = timedelta(seconds=0.9)
EACH_STRATEGY = pytest.mark.parametrize("strategy", STRATEGIES)


async def play(stage: Stage, strategy: str, table: str, code: str, *, once: bool = False) -> None:
    """A projector meets the error several times in a row, wherever it writes to the table, then all is well."""
    serial = strategy == "serial"
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", CREATED)
    async with raised(stage.url, table, code, times=3):
        if once:
            await stage.catch_up(**STRATEGIES[strategy])
        else:
            async with stage.projector(**STRATEGIES[strategy]) as projector:
                await until(stage.projected, "the events to be projected")
                await stage.append("todo-2", UPDATED)
                await until(stage.projected, "what came later to be projected")
                assert not projector.task.done()
        assert await planted(stage) > 3
    assert await blamed(stage) == 0
    await stage.assert_right(serial=serial)


@pytest.mark.parametrize("code", PASSING)
@EACH_STRATEGY
async def test_what_passes_is_waited_for_and_counted_against_no_event(stage: Stage, strategy: str, code: str) -> None:
    await play(stage, strategy, "todos", code)


@pytest.mark.parametrize("code", ["55P03", "57014", "25006"])
@pytest.mark.parametrize(("strategy", "table"), [*itertools.product(STRATEGIES, WRITTEN), ("serial", "cursors")])
async def test_wherever_it_is_met(stage: Stage, strategy: str, table: str, code: str) -> None:
    await play(stage, strategy, table, code)


@pytest.mark.parametrize("code", ["55P03", "40001", "57014", "25006", "53100"])
@EACH_STRATEGY
async def test_a_job_waits_for_it_as_well(stage: Stage, strategy: str, code: str) -> None:
    await play(stage, strategy, "todos", code, once=True)


@pytest.mark.parametrize("code", ["P0001", "23514", "22012"])
@pytest.mark.parametrize("table", ["projectors", "cursors"])
async def test_a_refusal_that_is_not_of_an_event_ends_no_projector(stage: Stage, table: str, code: str) -> None:
    await play(stage, "serial", table, code)


@pytest.mark.parametrize("code", POISON)
@EACH_STRATEGY
async def test_a_poison_is_counted_and_blocks(stage: Stage, strategy: str, code: str) -> None:
    await stage.append("early", CREATED)
    await stage.append("bad", CREATED)
    await stage.append("late", CREATED)
    async with raised(stage.url, "todos", code, which="NEW.id = 'bad'"):
        await stage.catch_up(**STRATEGIES[strategy])

    [blocked] = (await stage.stats()).blocked
    assert (blocked.stream, blocked.version, blocked.attempts) == ("bad", 1, 2)
    assert f"planted {code}" in (blocked.error or "")
    others = {"early": 1} if strategy == "serial" else {"early": 1, "late": 1}
    assert await stage.versions_projected() == others


@pytest.mark.parametrize("code", DEFECT)
@EACH_STRATEGY
async def test_a_defect_ends_the_projector_and_blames_no_event(stage: Stage, strategy: str, code: str) -> None:
    await stage.append("todo-1", CREATED)
    async with raised(stage.url, "todos", code):
        with pytest.raises(asyncpg.PostgresError) as ended:
            await stage.catch_up(**STRATEGIES[strategy])
        assert ended.value.sqlstate == code
    assert await blamed(stage) == 0
    assert await stage.value("SELECT count(*) FROM streams WHERE holder IS NOT NULL") == 0
    await stage.catch_up(**STRATEGIES[strategy])
    await stage.assert_right(serial=strategy == "serial")


@pytest.mark.parametrize("code", ["55P03", "25006", "57014", "23514", "P0001"])
@pytest.mark.parametrize("table", ["streams", "projectors"])
async def test_the_heartbeat_outlives_it(stage: Stage, table: str, code: str) -> None:
    """Renewal and registration are refused while leases are in hand; then the events that they are for flow."""
    await stage.append("todo-1", CREATED)
    options = {**STRATEGIES["stream-leases"], "handler_latency": 1.0, "lease": LEASE}
    async with stage.projector(**options) as projector:
        await until(lambda: held(stage), "the lease")
        async with raised(stage.url, table, code, times=2):
            await until(lambda: asked(stage, 2), "the heartbeat to be refused")
            await until(stage.projected, "the event to be projected")
        assert not projector.task.done()
    assert await blamed(stage) == 0


async def held(stage: Stage) -> bool:
    return bool(await stage.value("SELECT count(*) FROM streams WHERE holder IS NOT NULL"))


async def asked(stage: Stage, times: int) -> bool:
    return await planted(stage) >= times
