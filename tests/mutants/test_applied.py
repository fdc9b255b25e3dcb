"""A projection that applies twice shows it in the row: `applied` is one more, and the version as it should be."""

from __future__ import annotations

import pytest

from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import UPDATED, Make, Stage, life
from tests.mutants.caught import EACH_STRATEGY, Caught, Stages, planted
from tests.mutants.plants import NO_GUARD
from tests.mutants.test_each import ALL_SEEN, each, overwrite, unguarded


def makes(strategy: Strategy, handler: str) -> tuple[Make, Make]:
    """The system as it is, and one without a version guard."""
    if handler == "each":
        return each(strategy), each(strategy, overwrite, ALL_SEEN, unguarded)
    return planted(strategy), planted(strategy, NO_GUARD[strategy])


@EACH_STRATEGY
@pytest.mark.parametrize("handler", ["set", "each"])
async def test_an_event_that_took_effect_twice_is_counted_in_its_row(
    stages: Stages, strategy: Strategy, handler: str
) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a"))
        await stage.catch_up(strategy=strategy)
        await stage.sql("UPDATE cursors SET position = 0")
        await stage.append("todo-1", UPDATED)
        await stage.catch_up(strategy=strategy, make=make)

    real, mutant = makes(strategy, handler)
    caught = Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again")
    await stages.assert_caught(schedule, real, mutant, caught, strategy=strategy)
    told = [[(row["version"], row["applied"]) for row in await stage.rows()] for stage in (stages.real, stages.mutant)]
    assert told == [[(2, 2)], [(2, 3)]]
