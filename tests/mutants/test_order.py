"""Two open transactions that commit in another order than they took their positions.

By streams a projector reads versions and no positions, so how far the global order is read makes no difference there.
The mutant there is one that remembers the highest position that it projected, and looks above it alone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from projection.ordering.global_order import GlobalOrder
from projection.strategy import OrderingStrategy, Tools
from services.projector.settings import Settings
from settings.catalogue.projection import Strategy
from tests.integration.projector.open_append import begin
from tests.integration.projector.stage import CREATED, Make, Moments, Stage, until
from tests.mutants.caught import AS_MADE, STREAM_STRATEGIES, Caught, Schedule, Stages, planted

REACHED = "SELECT position >= (SELECT max(position) FROM events) FROM cursors"
ABOVE_THE_HIGHEST = """e.version > coalesce(fenced.projected, 0)
     AND e.position > (SELECT coalesce(max(last_position), 0) FROM projection_audit)"""

STREAMS = pytest.mark.parametrize(
    ("stream", "lost"), [("new", "version 1 of new (TodoCreated"), ("old", "version 2 of old (TodoUpdated")]
)


def naive(strategy: Strategy) -> Make:
    """Reads up to the highest position that it sees."""

    def make(tools: Tools) -> OrderingStrategy:
        assert isinstance(tools.settings, Settings)
        return AS_MADE[strategy](replace(tools, settings=replace(tools.settings, visibility="naive")))

    return make


def overtaken(strategy: Strategy, stream: str) -> Schedule:
    """A writer of `stream` takes its position first, and commits after another was projected."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("old", CREATED)
        await stage.catch_up(strategy=strategy)
        hook = Moments()
        async with begin(stage, stream, 1) as slow:
            async with begin(stage, "overtaker", 2) as fast:
                await fast.commit()
            async with stage.projector(strategy=strategy, hook=hook, make=make):
                await hook.wait("idle", times=2)
                await slow.commit()
                if strategy == "global-order":
                    await until(lambda: stage.value(REACHED), "the cursor to be at the end of the log")
        if strategy != "global-order":
            await stage.catch_up(strategy=strategy, make=make)

    return schedule


@STREAMS
async def test_naive_order(stages: Stages, stream: str, lost: str) -> None:
    await stages.assert_caught(
        overtaken("global-order", stream),
        GlobalOrder,
        naive("global-order"),
        Caught({"lost", "mismatched_rows"}, f"lost: {lost}, position 2) never took effect"),
        strategy="global-order",
    )


@STREAM_STRATEGIES
@STREAMS
async def test_a_place_in_the_global_order_in_place_of_one_in_each_stream(
    stages: Stages, stream: str, lost: str, strategy: Strategy
) -> None:
    await stages.assert_caught(
        overtaken(strategy, stream),
        # Naive as well, and yet right.
        naive(strategy),
        planted(strategy, {"unseen": ABOVE_THE_HIGHEST}),
        Caught({"lost", "mismatched_rows"}, f"lost: {lost}, position 2) never took effect"),
        strategy=strategy,
    )
