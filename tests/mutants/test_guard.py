"""The version guard: nothing twice, nothing over a hole, nothing in another order."""

from __future__ import annotations

import pytest

from eventstore.events import NewEvent
from projection import operator
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import UPDATED, Make, Stage, life
from tests.mutants.caught import EACH_STRATEGY, STREAM_STRATEGIES, Caught, Schedule, Stages, planted
from tests.mutants.plants import NO_GUARD, OVERWRITE

LOWEST_POSITION_FIRST = """e.version > coalesce(fenced.projected, 0)
     AND e.position = (
       SELECT min(m.position) FROM events m WHERE m.stream = e.stream AND m.version > fenced.projected
     )"""


@pytest.mark.parametrize(("more", "part"), [([], "fresh"), ([UPDATED], "unseen")], ids=["all seen", "half seen"])
async def test_no_guard_against_duplicates(stages: Stages, more: list[NewEvent], part: str) -> None:
    """A window all of which the checkpoint has seen, and one in which the checkpoint stands."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy="global-order")
        await stage.sql("UPDATE cursors SET position = 0")
        if more:
            await stage.append("todo-1", *more)
        await stage.catch_up(strategy="global-order", make=make)

    await stages.assert_caught(
        schedule,
        planted("global-order"),
        planted("global-order", {part: "true", "guard": "true", "effect": OVERWRITE}),
        Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again"),
        strategy="global-order",
    )


@STREAM_STRATEGIES
async def test_no_guard_against_duplicates_within_a_stream(stages: Stages, strategy: Strategy) -> None:
    """A stream of which the checkpoint has seen the first part."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy=strategy)
        await stage.append("todo-1", UPDATED)
        await stage.catch_up(strategy=strategy, make=make)

    await stages.assert_caught(
        schedule,
        planted(strategy),
        planted(strategy, NO_GUARD[strategy]),
        Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again"),
        strategy=strategy,
    )


@STREAM_STRATEGIES
async def test_what_the_checkpoint_has_seen_is_not_looked_at_by_streams(stages: Stages, strategy: Strategy) -> None:
    """So a mutant has nothing to do twice there: a stream is taken for what is pending, from no place in the log."""
    for stage, make in ((stages.real, planted(strategy)), (stages.mutant, planted(strategy, NO_GUARD[strategy]))):
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy=strategy)
        before = await stage.writers()
        await stage.catch_up(strategy=strategy, make=make)
        assert await stage.writers() == before
        await stage.assert_right()


def shown_late(strategy: Strategy) -> Schedule:
    """The second of three events is there only after the third was projected, or was waited for."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a"))
        await stage.catch_up(strategy=strategy)
        await stage.append("todo-1", UPDATED, UPDATED)
        await stage.sql("CREATE TABLE late AS SELECT * FROM events WHERE version = 2")
        await stage.sql("DELETE FROM events WHERE version = 2")
        await stage.catch_up(strategy=strategy, make=make)
        await stage.put_back("late")
        await stage.sql("DROP TABLE late")
        await operator.unblock(stage.steps, None)
        await stage.catch_up(strategy=strategy)

    return schedule


@EACH_STRATEGY
async def test_no_guard_against_holes(stages: Stages, strategy: Strategy) -> None:
    """An event that shows late: the system as it is waits for it, with its stream blocked in the end."""
    await stages.assert_caught(
        shown_late(strategy),
        planted(strategy),
        planted(strategy, {"guard": "true", "effect": OVERWRITE}),
        Caught({"lost"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        strategy=strategy,
    )


async def test_no_guard_against_an_inverted_order(stages: Stages) -> None:
    """Versions of a stream whose positions are the other way round: the system as it is stops before them."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.invert("todo-1")
        await stage.catch_up(strategy="global-order", make=make, events_per_window=1)

    await stages.assert_caught(
        schedule,
        planted("global-order"),
        planted("global-order", {"guard": "true", "fresh": "true", "effect": OVERWRITE}),
        Caught({"reordered", "mismatched_rows"}, "reordered: version 1 of todo-1 took effect after 2"),
        strategy="global-order",
        complete=False,
    )


@STREAM_STRATEGIES
async def test_no_guard_against_an_inverted_order_within_a_stream(stages: Stages, strategy: Strategy) -> None:
    """By streams positions play no part. A mutant that goes by them has its checkpoint behind what it left out."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.invert("todo-1")
        await stage.catch_up(strategy=strategy, make=make, events_per_stream=2)

    await stages.assert_caught(
        schedule,
        planted(strategy),
        planted(strategy, {"guard": "true", "unseen": LOWEST_POSITION_FIRST, "effect": OVERWRITE}),
        Caught({"lost", "mismatched_rows"}, "lost: version 1 of todo-1"),
        strategy=strategy,
    )
