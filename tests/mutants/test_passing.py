"""A lock or a time limit that is taken for an event's fault: the system as it is waits, the mutants block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from eventstore.errors import InvalidEvent, StoreBusy
from eventstore.events import Position
from projection.leases.work import Work
from projection.ordering.global_order import GlobalOrder, Term
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from projection.statement.outcome import Outcome
from projection.strategy import Tools
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import CREATED, Make, Stage
from tests.integration.sqlstates.trouble import raised
from tests.mutants.caught import EACH_STRATEGY, Caught, Schedule, Stages, planted


class BlamesStream(StreamLeases):
    """Takes what passes for the fault of an event."""

    async def _run(self, works: Sequence[Work]) -> Outcome:
        try:
            return await super()._run(works)
        except StoreBusy as error:
            raise InvalidEvent(str(error)) from None


class BlamesStreamOfLocks(StreamLocks):
    """Takes what passes for the fault of an event, with a lease and without."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools, BlamesStream(tools))

    async def _take(self, slot: int, streams: int, each: int) -> Outcome:
        try:
            return await super()._take(slot, streams, each)
        except StoreBusy as error:
            raise InvalidEvent(str(error)) from None


class BlamesEvent(GlobalOrder):
    """Takes what passes for the fault of an event."""

    async def _run(self, term: Term, upto: Position) -> Outcome:
        try:
            return await super()._run(term, upto)
        except StoreBusy as error:
            raise InvalidEvent(str(error)) from None


BLAMING: Final[Mapping[Strategy, Make]] = {
    "global-order": BlamesEvent,
    "stream-leases": BlamesStream,
    "stream-locks": BlamesStreamOfLocks,
}

TIMES: Final[Mapping[Strategy, int]] = {"global-order": 3, "stream-leases": 3, "stream-locks": 6}
"""How often it is refused: by locks, each attempt is two statements without a lease, and one with it."""


def refused_for_a_while(strategy: Strategy, code: str) -> Schedule:
    """More often than an event may fail, then no more."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", CREATED)
        async with raised(stage.url, "todos", code, times=TIMES[strategy]):
            await stage.catch_up(strategy=strategy, make=make, events_per_stream=1, events_per_window=1)

    return schedule


@pytest.mark.parametrize("code", ["55P03", "57014"], ids=["lock", "time limit"])
@EACH_STRATEGY
async def test_what_passes_is_taken_for_poison(stages: Stages, strategy: Strategy, code: str) -> None:
    await stages.assert_caught(
        refused_for_a_while(strategy, code),
        planted(strategy),
        BLAMING[strategy],
        Caught({"lost", "mismatched_rows"}, "lost: version 1 of todo-1 (TodoCreated, position 1) never took effect"),
        strategy=strategy,
    )
