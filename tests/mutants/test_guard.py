"""The version guard: nothing twice, nothing over a hole, nothing in another order."""

from __future__ import annotations

import pytest

from eventstore.events import NewEvent
from projection import operator
from projection.ordering.stream_locks import Drain
from tests.integration.projector.stage import UPDATED, Make, Stage, life
from tests.mutants.caught import Caught, Stages, planted, with_parts
from tests.mutants.plants import OVERWRITE

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


@pytest.mark.parametrize(("more", "part"), [([], "fresh"), ([UPDATED], "unseen")], ids=["all seen", "half seen"])
async def test_no_guard_against_duplicates(stages: Stages, more: list[NewEvent], part: str) -> None:
    """A window all of which the checkpoint has seen, and one in which the checkpoint stands."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.drain(serial=True)
        await stage.sql("UPDATE cursors SET position = 0")
        if more:
            await stage.append("todo-1", *more)
        await stage.drain(serial=True, make=make)

    await stages.assert_caught(
        schedule,
        planted(True),
        planted(True, {part: "true", "guard": "true", "effect": OVERWRITE}),
        Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again"),
        serial=True,
    )


@MODES
async def test_no_guard_against_holes(stages: Stages, serial: bool) -> None:
    """An event that shows late: the system as it is waits for it, with its stream blocked in the end."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a"))
        await stage.drain(serial=serial)
        await stage.append("todo-1", UPDATED, UPDATED)
        await stage.sql("CREATE TABLE late AS SELECT * FROM events WHERE version = 2")
        await stage.sql("DELETE FROM events WHERE version = 2")
        await stage.drain(serial=serial, make=make)
        await stage.put_back("late")
        await stage.sql("DROP TABLE late")
        await operator.unblock(stage.steps, None)
        await stage.drain(serial=serial)

    await stages.assert_caught(
        schedule,
        planted(serial),
        planted(serial, {"guard": "true", "effect": OVERWRITE}),
        Caught({"lost"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        serial=serial,
    )


async def test_no_guard_against_an_inverted_order(stages: Stages) -> None:
    """Versions of a stream whose positions are the other way round: the system as it is stops before them."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.invert("todo-1")
        await stage.drain(serial=True, make=make, events_per_window=1)

    await stages.assert_caught(
        schedule,
        planted(True),
        planted(True, {"guard": "true", "fresh": "true", "effect": OVERWRITE}),
        Caught({"reordered", "mismatched_rows"}, "reordered: version 1 of todo-1 took effect after 2"),
        serial=True,
        complete=False,
    )


async def test_no_guard_against_holes_where_claim_and_batch_are_one(stages: Stages) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a"))
        await stage.drain(make=make)
        await stage.append("todo-1", UPDATED, UPDATED)
        await stage.sql("CREATE TABLE late AS SELECT * FROM events WHERE version = 2")
        await stage.sql("DELETE FROM events WHERE version = 2")
        await stage.drain(make=make)
        await stage.put_back("late")
        await operator.unblock(stage.steps, None)
        await stage.drain(make=make)

    parts = {"guard": "true", "effect": OVERWRITE}
    await stages.assert_caught(
        schedule,
        Drain,
        lambda tools: Drain(with_parts(tools, parts)),
        Caught({"lost"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        serial=False,
    )
