"""Strategy `stream-locks`: competing consumers by row locks (SKIP LOCKED), claim and batch in one statement.

The lock on a stream's row is the lease: nothing is held between two statements, so nothing has to be taken over.
Order and failures are as by `stream-leases`.

Claim and projection are one statement (`shapes.STREAM_LOCKS`): a stream's row is written once and not twice, and all
that is pending takes one round trip and one commit. What it leaves, because an event can not be applied, is then
claimed with a lease, and handled as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import structlog

from eventstore.connection.batch_size import BatchSize
from eventstore.errors import StoreBusy
from eventstore.schema import SLOTS
from eventstore.sqlstates import smaller_may_pass
from projection.leases.failure import blames_an_event
from projection.ordering.stream_leases import StreamLeases
from projection.statement.outcome import Outcome
from projection.statement.shapes import STREAM_LOCKS
from projection.strategy import Step, Tools

LANES: Final = 2
"""Statements at once of a job. One keeps a processor of Postgres busy; more than two gained nothing on two cores."""

SERIAL: Final = False
COSTLY_HANDLER: Final = False
"""A handler that costs time needs a lease, or its streams would be locked meanwhile."""
LEASES: Final = False

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Lane:
    """What a lane's statement did. `more`: there may be more to take. `unsound`: something of it needs a lease."""

    events: int = 0
    leases: int = 0
    more: bool = False
    unsound: bool = False
    due: float | None = None

    @classmethod
    def of(cls, outcome: Outcome, *, more: bool) -> Self:
        """From what the statement tells."""
        return cls(outcome.events, outcome.leases, more, outcome.streams < outcome.leases, outcome.due)


class StreamLocks:
    """Holds nothing between its statements. A job runs `LANES` of them at once.

    What a statement leaves, since it can not be applied, is for `leases`.
    """

    def __init__(self, tools: Tools, leases: StreamLeases | None = None) -> None:
        self._tools: Final = tools
        self._leases: Final = leases or StreamLeases(tools)
        self._batch: Final = tools.handler.batches(tools.database, STREAM_LOCKS)
        self._slots: Final = [(tools.slot + lane) % SLOTS for lane in range(LANES if tools.job else 1)]
        settings = tools.settings
        self._limit: Final = settings.streams_in_flight
        # No statement may take long, however large the backlog is.
        self._each: Final = min(settings.events_per_stream, max(1, settings.events_per_batch // self._limit))
        self._size: Final = BatchSize(self._limit * self._each)

    async def prepare(self) -> None:
        """Give back the leases that were in hand when the store went away."""
        await self._leases.prepare()

    async def renew(self) -> None:
        """Prolong the leases of what a statement left."""
        await self._leases.renew()

    async def release(self) -> None:
        """Give them back, unapplied."""
        await self._leases.release()

    async def exhausted(self) -> bool:
        """True when nothing is in hand and no stream is pending, with whomever, but blocked ones."""
        return await self._leases.exhausted()

    async def step(self) -> Step:
        """One statement in each lane; when they find anything unsound, a step with leases."""
        lanes = await self._lanes()
        events = sum(lane.events for lane in lanes)
        if self._leases.in_hand or any(lane.unsound for lane in lanes):
            rest = await self._with_leases(events)
            return replace(rest, events=events + rest.events)
        if any(lane.leases or lane.more for lane in lanes):
            await self._tools.hook("applied")
            return Step(events, more=any(lane.more for lane in lanes))
        return Step(wait=lanes[0].due, quiet=True)

    async def _with_leases(self, events: int) -> Step:
        try:
            return await self._leases.step()
        except StoreBusy:
            # What was refused is put off; the others are on their way.
            if not events:
                raise
            return Step(wait=self._leases.soonest())

    async def _lanes(self) -> Sequence[Lane]:
        if len(self._slots) == 1:
            return [await self._lane(self._slots[0])]
        # All end before an error of one is raised, so that none goes on behind the worker's back.
        ended = await asyncio.gather(*map(self._lane, self._slots), return_exceptions=True)
        lanes: list[Lane] = []
        for one in ended:
            if isinstance(one, BaseException):
                raise one
            lanes.append(one)
        return lanes

    async def _lane(self, slot: int) -> Lane:
        """Run the statement; again when it failed, once.

        It may fail without any event's fault: when another projector moved a stream after this statement had begun to
        look, or for a lock, a deadlock.
        """
        each = min(self._each, self._size.now)
        streams = max(1, self._size.now // each)
        for _ in range(2):
            try:
                outcome = await self._take(slot, streams, each)
            except Exception as error:
                if smaller_may_pass(error) and self._size.halve(streams * each):
                    return self._halved(error)
                if not (blames_an_event(error) or isinstance(error, StoreBusy)):
                    raise
                failure = error
                if smaller_may_pass(error):
                    break
            else:
                full = _full(outcome, streams, each)
                self._size.fitted(streams * each if full else 0)
                return Lane.of(outcome, more=full)
        log.warning("batch failed: each stream is tried", error=str(failure))
        return Lane(unsound=True)

    def _halved(self, error: Exception) -> Lane:
        log.info("batch met a limit", error=str(error), next=self._size.now)
        if not isinstance(error, StoreBusy):
            raise error
        return Lane(more=True)

    async def _take(self, slot: int, streams: int, each: int) -> Outcome:
        return await self._batch(
            limit=streams,
            events=each,
            holder=self._tools.settings.name,
            slot=slot,
            others=self._leases.in_hand,
        )


def _full(outcome: Outcome, streams: int, each: int) -> bool:
    """True when there may be more: all the streams that it could take, or all the events of one."""
    return outcome.leases > 0 and (outcome.leases == streams or outcome.events - outcome.streams + 1 >= each)


MAKE: Final = StreamLocks
