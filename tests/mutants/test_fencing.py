"""A projector that was stalled past its lease, and wakes up after somebody else has gone on.

Fence and guard each keep it from doing harm, as the controls show. So the mutant without a fence is one that works
from memory, as handlers with an effect elsewhere do: there the fence is all there is.

By `stream-locks` there is no fence to take away: claim and batch are one statement, and the lock on a stream's row is
the lease. What can go wrong there is in `test_locks`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import UPDATED, Make, Moments, Stage, life
from tests.mutants.caught import Caught, Schedule, Stages, planted
from tests.mutants.plants import NO_FENCE, NO_GUARD

SIZES: dict[str, Any] = {"events_per_stream": 2, "events_per_window": 2}
HELD = "UPDATE cursors SET holder = 'successor', leased_until = clock_timestamp() + interval '1 h'"
LEASED: Final = pytest.mark.parametrize("strategy", ["global-order", "stream-leases"])


def stalled_past_its_lease(strategy: Strategy) -> Schedule:
    """One claims and stalls; another takes over and goes on; the first one wakes up and applies what it had claimed."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        hook = Moments(stop_at="claimed")
        async with stage.prepared(strategy=strategy, hook=hook, make=make, **SIZES) as stalled:
            await stalled.strategy.prepare()
            step = asyncio.create_task(stalled.strategy.step())
            await hook.reached.wait()
            await stage.pass_time()
            await stage.catch_up(strategy=strategy)
            await stage.append("todo-1", UPDATED)
            await stage.catch_up(strategy=strategy)
            await stage.sql(HELD)

            hook.open.set()
            await step

    return schedule


@LEASED
async def test_no_fence(stages: Stages, strategy: Strategy) -> None:
    await stages.assert_caught(
        stalled_past_its_lease(strategy),
        planted(strategy, NO_GUARD[strategy]),
        planted(strategy, {**NO_GUARD[strategy], **NO_FENCE[strategy]}),
        Caught({"duplicated", "mismatched_rows"}, "todo-1 has text 'b', its events make it 'bread'"),
        strategy=strategy,
    )


@LEASED
async def test_the_guard_alone_keeps_the_rows_right_too(stages: Stages, strategy: Strategy) -> None:
    await stalled_past_its_lease(strategy)(stages.real, planted(strategy))
    await stalled_past_its_lease(strategy)(stages.mutant, planted(strategy, NO_FENCE[strategy]))

    await stages.real.assert_right(serial=strategy == "global-order")
    await stages.mutant.assert_right(serial=strategy == "global-order")
