"""Effects that are not what the events say: twice, with other content, of nothing, counted wrongly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from eventstore.events import Position
from projection.ordering.global_order import Serial, Term
from projection.ordering.stream_leases import Parallel, Work
from projection.statement.outcome import Outcome
from tests.integration.projector.stage import Make, Stage, life
from tests.mutants.caught import Caught, Schedule, Stages, planted, with_parts
from tests.mutants.plants import NO_FENCE, NO_GUARD
from todo.read_models.todos import EFFECT, FOLD, NEWEST

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])

GHOST = f"""{EFFECT},
ghost AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted)
  SELECT 'ghost of ' || stream, text, created_at, updated_at, last, true FROM clean WHERE first = 1
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


def projected(serial: bool) -> Schedule:
    """Two todos with several events each, of which one is deleted."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.append("todo-2", *life("a", "b", deleted=True))
        await stage.drain(serial=serial, make=make)

    return schedule


class SendAgain(Parallel):
    """Sends each batch again, as one does whose answer was lost."""

    async def _run(self, works: Sequence[Work]) -> Outcome:
        await super()._run(works)
        return await super()._run(works)


class SendWindowAgain(Serial):
    """Sends each batch again, as one does whose answer was lost."""

    async def _run(self, term: Term, upto: Position) -> Outcome:
        await super()._run(term, upto)
        return await super()._run(term, upto)


@MODES
async def test_effect_twice(stages: Stages, serial: bool) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.drain(serial=serial, make=make)

    def again(**parts: str) -> Make:
        make = SendWindowAgain if serial else SendAgain
        return lambda tools: make(with_parts(tools, parts))

    await stages.assert_caught(
        schedule,
        again(),
        again(**NO_GUARD[serial], **NO_FENCE[serial]),
        Caught({"duplicated"}, "duplicated: version 2 of todo-1 took effect again"),
        serial=serial,
    )


@MODES
@pytest.mark.parametrize("name", CONTENTS)
async def test_wrong_content(stages: Stages, serial: bool, name: str) -> None:
    part, (right, wrong), line = CONTENTS[name]
    assert right in AS_IT_IS[part]
    await stages.assert_caught(
        projected(serial),
        planted(serial),
        planted(serial, {part: AS_IT_IS[part].replace(right, wrong)}),
        Caught({"mismatched_rows"}, line),
        serial=serial,
    )


@MODES
async def test_row_of_nothing(stages: Stages, serial: bool) -> None:
    await stages.assert_caught(
        projected(serial),
        planted(serial),
        planted(serial, {"effect": GHOST}),
        Caught({"phantom", "mismatched_rows"}, "phantom: todo ghost of todo-1 has no events"),
        serial=serial,
    )


@MODES
async def test_counted_twice(stages: Stages, serial: bool) -> None:
    await stages.assert_caught(
        projected(serial),
        planted(serial),
        planted(serial, {"effect": EFFECT.replace("i.todos, i.active", "2 * i.todos, i.active")}),
        Caught({"mismatched_rows"}, "the counter of todos says 4, there are 2"),
        serial=serial,
    )
