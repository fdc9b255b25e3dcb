"""A lock or a time limit that is taken for an event's fault: the system as it is waits, the mutants block."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from eventstore.errors import InvalidEvent, StoreBusy
from eventstore.events import Position
from projection.ordering.global_order import Serial, Term
from projection.ordering.stream_leases import Parallel, Work
from projection.statement.outcome import Outcome
from tests.integration.projector.stage import CREATED, Make, Stage
from tests.integration.sqlstates.trouble import raised
from tests.mutants.caught import Caught, Schedule, Stages, planted

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


class BlamesStream(Parallel):
    """Takes what passes for the fault of an event."""

    async def _run(self, works: Sequence[Work]) -> Outcome:
        try:
            return await super()._run(works)
        except StoreBusy as error:
            raise InvalidEvent(str(error)) from None


class BlamesEvent(Serial):
    """Takes what passes for the fault of an event."""

    async def _run(self, term: Term, upto: Position) -> Outcome:
        try:
            return await super()._run(term, upto)
        except StoreBusy as error:
            raise InvalidEvent(str(error)) from None


def refused_for_a_while(serial: bool, code: str) -> Schedule:
    """More often than an event may fail, then no more."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", CREATED)
        async with raised(stage.url, "todos", code, times=3):
            await stage.drain(serial=serial, make=make, events_per_stream=1, events_per_window=1)

    return schedule


@pytest.mark.parametrize("code", ["55P03", "57014"], ids=["lock", "time limit"])
@MODES
async def test_what_passes_is_taken_for_poison(stages: Stages, serial: bool, code: str) -> None:
    await stages.assert_caught(
        refused_for_a_while(serial, code),
        planted(serial),
        BlamesEvent if serial else BlamesStream,
        Caught({"lost", "mismatched_rows"}, "lost: version 1 of todo-1 (TodoCreated, position 1) never took effect"),
        serial=serial,
    )
