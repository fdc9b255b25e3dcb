"""Parallel mode as a job: project all that is pending, as fast as it goes, and let nobody wait for a lease.

Each lane claims and projects in one statement (`batch.drain`), so that a stream's row is written once and not twice.
What a lane leaves, because an event can not be applied, is claimed with a lease and handled as ever.
"""

from __future__ import annotations

import asyncio
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
"""Statements at once. One keeps a processor of Postgres busy; more than two gained nothing on two cores."""

log = structlog.get_logger()


class Drain(Parallel):
    """As `Parallel`, but for handlers that cost nothing; nothing is held between its statements."""

    def __init__(self, tools: Tools, statement: Statement = BATCH) -> None:
        super().__init__(tools)
        self._at_once: Final = statement
        self._slots: Final = [(tools.slot + lane) % SLOTS for lane in range(LANES)]

    async def step(self) -> Step:
        """One statement in each lane; when they find nothing more, or anything unsound, a step with leases."""
        lanes = [asyncio.create_task(self._lane(slot)) for slot in self._slots]
        # All end before an error of one is raised, so that none goes on behind the worker's back.
        await asyncio.wait(lanes)
        outcomes = [lane.result() for lane in lanes]
        events = sum(outcome.events for outcome in outcomes if outcome)
        if events and all(outcome and outcome.streams == outcome.leases for outcome in outcomes):
            return Step(events, more=True)
        rest = await super().step()
        return Step(events + rest.events, more=rest.more or events > 0, wait=rest.wait)

    async def _lane(self, slot: int) -> batch.Outcome | None:
        """What the statement did; None when an event made it fail."""
        settings = self._tools.settings
        try:
            rows = await self._tools.database.fetch(
                self._at_once,
                limit=settings.streams_in_flight,
                events=self._events,
                holder=settings.name,
                slot=slot,
            )
        except DEFECT:
            raise
        except POISON as error:
            log.warning("an event makes its batch fail", error=str(error))
            return None
        return batch.outcome(rows[0])
