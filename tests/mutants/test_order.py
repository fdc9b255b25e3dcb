"""Two open transactions that commit in another order than they took their positions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from projection.ordering.global_order import Serial
from projection.strategy import Tools
from services.projector.settings import Settings
from tests.integration.projector.open_append import begin
from tests.integration.projector.stage import CREATED, Make, Moments, Stage, until
from tests.mutants.caught import Caught, Stages

REACHED = "SELECT position >= (SELECT max(position) FROM events) FROM cursors"


def naive(tools: Tools) -> Serial:
    """Reads up to the highest position that it sees."""
    assert isinstance(tools.settings, Settings)
    return Serial(replace(tools, settings=replace(tools.settings, visibility="naive")))


@pytest.mark.parametrize(
    ("stream", "lost"), [("new", "version 1 of new (TodoCreated"), ("old", "version 2 of old (TodoUpdated")]
)
async def test_naive_order(stages: Stages, stream: str, lost: str) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("old", CREATED)
        await stage.drain(serial=True)
        probe = Moments()
        async with begin(stage, stream, 1) as slow:
            async with begin(stage, "overtaker", 2) as fast:
                await fast.commit()
            async with stage.projector(serial=True, probe=probe, make=make):
                await probe.wait("idle", times=2)
                await slow.commit()
                await until(lambda: stage.value(REACHED), "the cursor to be at the end of the log")

    await stages.assert_caught(
        schedule,
        Serial,
        naive,
        Caught({"lost", "mismatched_rows"}, f"lost: {lost}, position 2) never took effect"),
        serial=True,
    )
