"""Parallel mode where the handler costs nothing: nobody holds a lease longer than a statement takes.

Claim and projection are one statement (`batch.drain`): a stream's row is written once and not twice, and all that is
pending takes one round trip and one commit. What it leaves, because an event can not be applied, is then claimed with a
lease, and handled as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from eventstore.schema import SLOTS
from eventstore.statement import Statement
from services.projector import batch
from services.projector.failure import DEFECT, POISON
from services.projector.modes import Step, Tools
from services.projector.parallel import Parallel

BATCH: Final = batch.drain()
LANES: Final = 2
"""Statements at once of a job. One keeps a processor of Postgres busy; more than two gained nothing on two cores."""

log = structlog.get_logger()


class Drain(Parallel):
    """As `Parallel`, but nothing is held between its statements. `lanes` of them run at once."""

    def __init__(self, tools: Tools, statement: Statement = BATCH, *, lanes: int = 1) -> None:
        super().__init__(tools)
        self._at_once: Final = statement
        self._slots: Final = [(tools.slot + lane) % SLOTS for lane in range(lanes)]
        settings = tools.settings
        self._limit: Final = settings.streams_in_flight
        # No statement may take long, however large the backlog is.
        self._each: Final = min(settings.events_per_stream, max(1, settings.events_per_batch // self._limit))

    async def step(self) -> Step:
        """One statement in each lane; when they find anything unsound, a step with leases."""
        outcomes = await self._lanes()
        events = sum(outcome.events for outcome in outcomes if outcome)
        found = [outcome for outcome in outcomes if outcome]
        if self._in_flight or len(found) < len(outcomes) or any(one.streams < one.leases for one in found):
            rest = await super().step()
            return replace(rest, events=events + rest.events)
        if any(outcome.leases for outcome in found):
            await self._tools.probe("applied")
            return Step(events, more=any(map(self._bounded, found)))
        return Step(wait=found[0].due, quiet=True)

    def _bounded(self, outcome: batch.Outcome) -> bool:
        """True when there may be more: all the streams that it could take, or all the events of one."""
        return outcome.leases == self._limit or outcome.events - outcome.streams + 1 >= self._each

    async def _lanes(self) -> Sequence[batch.Outcome | None]:
        if len(self._slots) == 1:
            return [await self._lane(self._slots[0])]
        # All end before an error of one is raised, so that none goes on behind the worker's back.
        ended = await asyncio.gather(*map(self._lane, self._slots), return_exceptions=True)
        outcomes: list[batch.Outcome | None] = []
        for one in ended:
            if isinstance(one, BaseException):
                raise one
            outcomes.append(one)
        return outcomes

    async def _lane(self, slot: int) -> batch.Outcome | None:
        """What the statement did; None when an event made it fail.

        Once it may fail without one: when another projector moved a stream after this statement had begun to look.
        """
        for _ in range(2):
            try:
                return await self._take(slot)
            except DEFECT:
                raise
            except POISON as error:
                failure = str(error)
        log.warning("an event makes its batch fail", error=failure)
        return None

    async def _take(self, slot: int) -> batch.Outcome:
        rows = await self._tools.database.fetch(
            self._at_once,
            limit=self._limit,
            events=self._each,
            holder=self._tools.settings.name,
            slot=slot,
            others=len(self._in_flight),
        )
        return batch.outcome(rows[0])
