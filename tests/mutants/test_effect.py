"""Effects that are not what the events say: twice, with other content, of nothing, counted wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from eventstore.events import Position
from projection.leases.work import Work
from projection.ordering.global_order import GlobalOrder, Term
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from projection.statement.outcome import Outcome
from projection.statement.shapes import STREAM_LOCKS
from projection.strategy import OrderingStrategy, Tools
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import Make, Stage, life
from tests.mutants.caught import EACH_STRATEGY, Caught, Schedule, Stages, planted, with_parts
from tests.mutants.plants import NO_FENCE, NO_GUARD
from todo.read_models.todos import EFFECT, FOLD, NEWEST

GHOST = f"""{EFFECT},
ghost AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
  SELECT 'ghost of ' || stream, text, created_at, updated_at, last, true, events FROM clean WHERE first = 1
)
"""

FIRST_TEXT = "(SELECT b.data ->> 'text' FROM events b WHERE b.stream = e.stream AND b.version = first)"
CONTENTS = {
    "the first text": (
        "newest",
        ("THEN e.data ->> 'text'", f"THEN {FIRST_TEXT}"),
        "todo-1 has text 'a', its events make it 'b'",
    ),
    "the first text of a deleted one": (
        "newest",
        ("b.version = last - 1", "b.version = first"),
        "todo-2 has text 'a', its events make it 'b'",
    ),
    "the first time": ("newest", ("e.recorded_at AS", "created_at AS"), "has updated_at"),
    "the last time": ("fold", ("(WHERE version = 1)", "(WHERE version = 2)"), "has created_at"),
    "never deleted": ("newest", ("deleted_version IS NOT NULL AS", "false AS"), "has deleted False"),
}
AS_IT_IS = {"fold": FOLD, "newest": NEWEST}


def projected(strategy: Strategy) -> Schedule:
    """Two todos with several events each, of which one is deleted."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.append("todo-2", *life("a", "b", deleted=True))
        await stage.catch_up(strategy=strategy, make=make)

    return schedule


class SendAgain(StreamLeases):
    """Sends each batch again, as one does whose answer was lost."""

    async def _run(self, works: Sequence[Work]) -> Outcome:
        await super()._run(works)
        return await super()._run(works)


class SendWindowAgain(GlobalOrder):
    """Sends each batch again, as one does whose answer was lost."""

    async def _run(self, term: Term, upto: Position) -> Outcome:
        await super()._run(term, upto)
        return await super()._run(term, upto)


class SendLocksAgain(StreamLocks):
    """Sends what it sent again, by the statement `again`, as one does whose answer was lost."""

    def __init__(self, tools: Tools, again: Tools) -> None:
        super().__init__(tools)
        self._again = again.handler.batches(again.database, STREAM_LOCKS)

    async def _take(self, slot: int, streams: int, each: int) -> Outcome:
        outcome = await super()._take(slot, streams, each)
        if outcome.events:
            await self._again(limit=streams, events=each, holder=self._tools.settings.name, slot=slot, others=0)
        return outcome


def sent_again(strategy: Strategy, parts: Mapping[str, str]) -> Make:
    """Projectors that send each batch twice, by a statement with these parts planted.

    By locks what was applied is not pending any more, so the first of the two is as it is.
    """

    def make(tools: Tools) -> OrderingStrategy:
        changed = with_parts(tools, parts)
        match strategy:
            case "global-order":
                return SendWindowAgain(changed)
            case "stream-leases":
                return SendAgain(changed)
            case _:
                return SendLocksAgain(tools, changed)

    return make


@EACH_STRATEGY
async def test_effect_twice(stages: Stages, strategy: Strategy) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy=strategy, make=make)

    await stages.assert_caught(
        schedule,
        sent_again(strategy, {}),
        sent_again(strategy, {**NO_GUARD[strategy], **NO_FENCE[strategy]}),
        Caught({"duplicated"}, "duplicated: version 2 of todo-1 took effect again"),
        strategy=strategy,
    )


@EACH_STRATEGY
@pytest.mark.parametrize("name", CONTENTS)
async def test_wrong_content(stages: Stages, strategy: Strategy, name: str) -> None:
    part, (right, wrong), line = CONTENTS[name]
    assert right in AS_IT_IS[part]
    await stages.assert_caught(
        projected(strategy),
        planted(strategy),
        planted(strategy, {part: AS_IT_IS[part].replace(right, wrong)}),
        Caught({"mismatched_rows"}, line),
        strategy=strategy,
    )


@EACH_STRATEGY
async def test_row_of_nothing(stages: Stages, strategy: Strategy) -> None:
    await stages.assert_caught(
        projected(strategy),
        planted(strategy),
        planted(strategy, {"effect": GHOST}),
        Caught({"phantom", "mismatched_rows"}, "phantom: todo ghost of todo-1 has no events"),
        strategy=strategy,
    )


@EACH_STRATEGY
async def test_counted_twice(stages: Stages, strategy: Strategy) -> None:
    await stages.assert_caught(
        projected(strategy),
        planted(strategy),
        planted(strategy, {"effect": EFFECT.replace("i.todos, i.active", "2 * i.todos, i.active")}),
        Caught({"mismatched_rows"}, "the counter of todos says 4, there are 2"),
        strategy=strategy,
    )
