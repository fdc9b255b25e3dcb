"""`HANDLER=each`: the same bugs around a function for each event, and those that only a function can have."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from eventstore.connection.database import Database
from projection.read_model import Apply, Event, EventRefused, ReadModels
from projection.statement.each.frame import Frame
from projection.statement.each.handler import EachHandler
from projection.statement.each.ordered import OrderedBatch
from projection.statement.each.span import Guard, missing
from projection.statement.each.streams import StreamBatch
from projection.statement.handler import Run
from projection.statement.outcome import Outcome
from projection.statement.shapes import Shape
from projection.strategy import OrderingStrategy, Tools
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import UPDATED, Make, Stage, life
from tests.mutants.caught import AS_MADE, EACH_STRATEGY, Caught, Stages
from tests.mutants.plants import NO_FENCE, NO_GUARD
from tests.mutants.test_errors import refused
from tests.mutants.test_fencing import LEASED, stalled_past_its_lease
from tests.mutants.test_guard import shown_late
from tests.read_models import READ_MODELS

PAUSE: Final = timedelta(seconds=30)
OVERWRITE: Final = """
WITH made AS (
  INSERT INTO todos AS t (id, text, created_at, updated_at, version, deleted, applied)
  VALUES ($1, $2, $3, $3, $4, false, 1)
  ON CONFLICT (id) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at, version = excluded.version,
     applied = t.applied + 1
  RETURNING xmax = 0 AS fresh
)
INSERT INTO todo_tallies (slot, todos, active) SELECT $5, 1, 1 FROM made WHERE fresh
ON CONFLICT (slot) DO UPDATE SET todos = todo_tallies.todos + 1, active = todo_tallies.active + 1
"""


async def overwrite(connection: asyncpg.Connection, event: Event) -> None:
    """An effect that does not look at the row's version. For histories without deletion."""
    text = event.data["text"]
    await connection.execute(OVERWRITE, event.stream, text, event.recorded_at, event.version, event.slot)


async def right(connection: asyncpg.Connection, event: Event) -> None:
    """The function of the todos, as it is."""
    (model,) = READ_MODELS
    assert model.apply is not None
    await model.apply(connection, event)


async def swallowing(connection: asyncpg.Connection, event: Event) -> None:
    """Goes on where the event can not be applied."""
    try:
        await right(connection, event)
    except EventRefused:
        return


def unguarded(_span: object) -> int | None:
    """A guard that lets everything pass."""
    return None


def models(function: Apply) -> ReadModels:
    """The todos, kept by this function."""
    return [replace(READ_MODELS[0], apply=function)]


def each(
    strategy: Strategy, function: Apply = right, parts: Mapping[str, str] | None = None, guard: Guard = missing
) -> Make:
    """Projectors with a function for each event, and some parts planted; none: the system as it is."""
    handler = EachHandler(models(function), pause=PAUSE, planted=parts, guard=guard)
    return lambda tools: AS_MADE[strategy](replace(tools, handler=handler))


def parts_of(*plants: Mapping[str, str]) -> dict[str, str]:
    """What of a statement's planted parts a function has: not its effect, its guard and what is folded."""
    return {name: part for plant in plants for name, part in plant.items() if name in ("fence", "unseen", "beyond")}


# By the global order what the checkpoint has seen is left out by `unseen`, whatever the window is.
ALL_SEEN: Final = {"unseen": "e.version > 0"}


@LEASED
async def test_no_fence(stages: Stages, strategy: Strategy) -> None:
    memory = {**parts_of(NO_GUARD[strategy]), **ALL_SEEN}
    await stages.assert_caught(
        stalled_past_its_lease(strategy),
        each(strategy, overwrite, memory, unguarded),
        each(strategy, overwrite, {**memory, **parts_of(NO_FENCE[strategy])}, unguarded),
        Caught({"duplicated", "mismatched_rows"}, "todo-1 has text 'b', its events make it 'bread'"),
        strategy=strategy,
    )


@EACH_STRATEGY
async def test_no_guard(stages: Stages, strategy: Strategy) -> None:
    """A stream, or a window, of which the checkpoint has seen the first part."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy=strategy)
        await stage.sql("UPDATE cursors SET position = 0")
        await stage.append("todo-1", UPDATED)
        await stage.catch_up(strategy=strategy, make=make)

    await stages.assert_caught(
        schedule,
        each(strategy, overwrite),
        each(strategy, overwrite, ALL_SEEN, unguarded),
        Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again"),
        strategy=strategy,
    )


@EACH_STRATEGY
async def test_no_guard_against_holes(stages: Stages, strategy: Strategy) -> None:
    """An event that shows late: the system as it is waits for it, with its stream blocked in the end."""
    await stages.assert_caught(
        shown_late(strategy),
        each(strategy),
        each(strategy, overwrite, guard=unguarded),
        Caught({"lost"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        strategy=strategy,
    )


@dataclass(frozen=True)
class CheckpointFirst:
    """Commits the checkpoints, and applies what they stand for in a transaction of its own, where it ends."""

    frame: Frame

    async def __call__(self, **values: Any) -> Outcome:
        idle = replace(self.frame, functions=[])
        await (OrderedBatch(idle) if idle.shape.ordered else StreamBatch(idle))(**values)
        raise Crash


class Crash(Exception):
    """The end of a process."""


class Hasty(EachHandler):
    """Whose checkpoints come first."""

    def batches(self, database: Database, shape: Shape) -> Run:
        frame = Frame(database, shape, shape.parts, [right], 30_000)
        return CheckpointFirst(frame)


class Ending:
    """A function after which the process ends."""

    async def __call__(self, connection: asyncpg.Connection, event: Event) -> None:
        await right(connection, event)
        raise asyncio.CancelledError


@EACH_STRATEGY
async def test_checkpoint_first(stages: Stages, strategy: Strategy) -> None:
    """A process that ends in the middle of a batch: effect and checkpoint must be one."""

    async def schedule(stage: Stage, make: Make) -> None:
        # The first session on a store says by which read models it is projected.
        await stage.catch_up(strategy=strategy, handler="each")
        await stage.append("todo-1", *life("a", "b"))
        async with stage.prepared(strategy=strategy, make=make) as worker:
            await worker.strategy.prepare()
            with pytest.raises((Crash, asyncio.CancelledError)):
                await worker.strategy.step()
        await stage.pass_time()
        await stage.catch_up(strategy=strategy, handler="each")

    def hasty(tools: Tools) -> OrderingStrategy:
        return AS_MADE[strategy](replace(tools, handler=Hasty(READ_MODELS, pause=PAUSE)))

    await stages.assert_caught(
        schedule,
        each(strategy, Ending()),
        hasty,
        Caught({"mismatched_rows"}, "todo todo-1 is missing; its events make it version 2"),
        strategy=strategy,
    )


@EACH_STRATEGY
async def test_swallowed_error(stages: Stages, strategy: Strategy) -> None:
    await stages.assert_caught(
        refused(strategy),
        each(strategy),
        each(strategy, swallowing),
        Caught({"mismatched_rows"}, "the events of todo-1 are no history of a todo: TodoUpdated without text"),
        strategy=strategy,
        complete=False,
    )
