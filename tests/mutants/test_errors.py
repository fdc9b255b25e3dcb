"""An event that the handler refuses: the system as it is stops its stream, the mutants go on as if it were done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eventstore.connection.database import Database
from projection.leases.work import Work
from projection.operator.skip import pass_over
from projection.ordering.global_order import GlobalOrder, Term
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Make, Stage
from tests.mutants.caught import EACH_STRATEGY, Caught, Schedule, Stages, planted
from tests.read_models import READ_MODELS


def refused(strategy: Strategy) -> Schedule:
    """Between two good events there is one without a text."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", CREATED, POISON, UPDATED)
        await stage.append("todo-2", CREATED)
        await stage.catch_up(strategy=strategy, make=make)

    return schedule


async def swallow(database: Database, stream: str) -> None:
    async with database.connection() as connection:
        await pass_over(connection, stream, READ_MODELS)


class SwallowStream(StreamLeases):
    """Passes over what it can not apply."""

    async def _fail(self, work: Work, reason: str) -> None:
        del self._in_flight[work.lease.stream]
        await swallow(self._tools.database, work.lease.stream)


class SwallowEvent(GlobalOrder):
    """Passes over what it can not apply."""

    async def _fail(self, term: Term, stream: str, version: int, reason: str) -> None:
        await swallow(self._tools.database, stream)


SWALLOWING: Final[Mapping[Strategy, Make]] = {
    "global-order": SwallowEvent,
    "stream-leases": SwallowStream,
    "stream-locks": lambda tools: StreamLocks(tools, SwallowStream(tools)),
}


@EACH_STRATEGY
async def test_swallowed_error(stages: Stages, strategy: Strategy) -> None:
    # Its role would stop this mutant: what is skipped, an operator alone may write.
    await stages.mutant.sql("GRANT UPDATE (skipped) ON streams TO tidemark_projector")
    await stages.assert_caught(
        refused(strategy),
        planted(strategy),
        SWALLOWING[strategy],
        Caught({"lost", "mismatched_rows"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        strategy=strategy,
        complete=False,
    )


@EACH_STRATEGY
async def test_no_refusal(stages: Stages, strategy: Strategy) -> None:
    await stages.assert_caught(
        refused(strategy),
        planted(strategy),
        planted(strategy, {"refusal": "NULL"}),
        Caught({"mismatched_rows"}, "the events of todo-1 are no history of a todo: TodoUpdated without text"),
        strategy=strategy,
        complete=False,
    )
