"""A projector that was stalled past its lease, and wakes up after somebody else has gone on.

Fence and guard each keep it from doing harm, as the controls show. So the mutant without a fence is one that works
from memory, as handlers with an effect elsewhere do: there the fence is all there is.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.projector.stage import UPDATED, Make, Moments, Stage, life
from tests.mutants.caught import Caught, Schedule, Stages, planted
from tests.mutants.plants import NO_FENCE, NO_GUARD

SIZES: dict[str, Any] = {"events_per_stream": 2, "events_per_window": 2}
HELD = "UPDATE cursors SET holder = 'successor', leased_until = clock_timestamp() + interval '1 h'"
MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


def stalled_past_its_lease(serial: bool) -> Schedule:
    """One claims and stalls; another takes over and goes on; the first one wakes up and applies what it had claimed."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        probe = Moments(stop_at="claimed")
        async with stage.prepared(serial=serial, probe=probe, make=make, **SIZES) as stalled:
            await stalled.mode.prepare()
            step = asyncio.create_task(stalled.mode.step())
            await probe.reached.wait()
            await stage.pass_time()
            await stage.drain(serial=serial)
            await stage.append("todo-1", UPDATED)
            await stage.drain(serial=serial)
            await stage.sql(HELD)

            probe.open.set()
            await step

    return schedule


@MODES
async def test_no_fence(stages: Stages, serial: bool) -> None:
    await stages.assert_caught(
        stalled_past_its_lease(serial),
        planted(serial, NO_GUARD[serial]),
        planted(serial, {**NO_GUARD[serial], **NO_FENCE[serial]}),
        Caught({"duplicated", "mismatched_rows"}, "todo-1 has text 'b', its events make it 'bread'"),
        serial=serial,
    )


@MODES
async def test_the_guard_alone_keeps_the_rows_right_too(stages: Stages, serial: bool) -> None:
    await stalled_past_its_lease(serial)(stages.real, planted(serial))
    await stalled_past_its_lease(serial)(stages.mutant, planted(serial, NO_FENCE[serial]))

    await stages.real.assert_right(serial=serial)
    await stages.mutant.assert_right(serial=serial)
