"""An event that the handler refuses: the system as it is stops its stream, the mutants go on as if it were done."""

from __future__ import annotations

import pytest

from eventstore.connection.database import Database
from projection.operator.skip import pass_over
from projection.ordering.global_order import Serial, Term
from projection.ordering.stream_leases import Parallel, Work
from services.projector.read_models import READ_MODELS
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Make, Stage
from tests.mutants.caught import Caught, Schedule, Stages, planted

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


def refused(serial: bool) -> Schedule:
    """Between two good events there is one without a text."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", CREATED, POISON, UPDATED)
        await stage.append("todo-2", CREATED)
        await stage.drain(serial=serial, make=make)

    return schedule


async def swallow(database: Database, stream: str) -> None:
    async with database.connection() as connection:
        await pass_over(connection, stream, READ_MODELS)


class SwallowStream(Parallel):
    """Passes over what it can not apply."""

    async def _fail(self, work: Work, reason: str) -> None:
        del self._in_flight[work.lease.stream]
        await swallow(self._tools.database, work.lease.stream)


class SwallowEvent(Serial):
    """Passes over what it can not apply."""

    async def _fail(self, term: Term, stream: str, version: int, reason: str) -> None:
        await swallow(self._tools.database, stream)


@MODES
async def test_swallowed_error(stages: Stages, serial: bool) -> None:
    await stages.assert_caught(
        refused(serial),
        planted(serial),
        SwallowEvent if serial else SwallowStream,
        Caught({"lost", "mismatched_rows"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        serial=serial,
        complete=False,
    )


@MODES
async def test_no_refusal(stages: Stages, serial: bool) -> None:
    await stages.assert_caught(
        refused(serial),
        planted(serial),
        planted(serial, {"refusal": "NULL"}),
        Caught({"mismatched_rows"}, "the events of todo-1 are no history of a todo: TodoUpdated without text"),
        serial=serial,
        complete=False,
    )
