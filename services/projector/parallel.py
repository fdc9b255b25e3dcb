"""Parallel mode: one lease per stream, many at once, shared with any number of other projectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlalchemy import text

from eventstore.contract import Lease
from eventstore.database import Statement
from eventstore.leases import PostgresLeases
from services.projector import batch
from services.projector.checkpoint import DUE
from services.projector.failure import DEFECT, POISON, fail_stream
from services.projector.modes import BUSY_S, Step, Tools

BATCH: Final = batch.parallel()

PENDING: Final = Statement(text(f"SELECT {DUE} AS due"))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """A lease in hand: apply it up to version `upto`, not before `ready_at` (the handler's artificial cost)."""

    lease: Lease
    upto: int
    ready_at: float

    @property
    def events(self) -> int:
        """How many events there were to apply when the lease was claimed."""
        return min(self.upto, self.lease.version) - self.lease.projected


class Parallel:
    """Claims what is pending and applies what is ready; at most `streams_in_flight` leases at once."""

    def __init__(self, tools: Tools, statement: Statement = BATCH) -> None:
        self._tools: Final = tools
        self._statement: Final = statement
        self._leases: Final = PostgresLeases(tools.database, tools.slot)
        self._events: Final = tools.events_at_once(tools.settings.events_per_stream)
        self._in_flight: dict[str, Work] = {}

    async def prepare(self) -> None:
        """Forget the leases: they may have passed on while the store was away, and end by themselves."""
        self._in_flight.clear()

    async def step(self) -> Step:
        """Claim, then apply all that is ready."""
        free = self._tools.settings.streams_in_flight - len(self._in_flight)
        claimed = await self._claim(free) if free > 0 else 0
        now = asyncio.get_running_loop().time()
        ready = [work for work in self._in_flight.values() if work.ready_at <= now]
        events = 0
        for portion in portions(ready, self._tools.settings.events_per_batch):
            events += await self._apply(portion)
        if not claimed and not events and not self._in_flight:
            return Step(wait=await self._due(), quiet=True)
        # What was appended to a stream in hand had its call already.
        return Step(events, more=0 < free == claimed, wait=0.0 if events else self._soonest())

    async def renew(self) -> None:
        """Prolong the leases in hand."""
        leases = [work.lease for work in self._in_flight.values()]
        await self._leases.renew(leases, ttl=self._tools.settings.lease)

    async def release(self) -> None:
        """Give the leases in hand back, unapplied."""
        await self._leases.release([work.lease for work in self._in_flight.values()])
        self._in_flight.clear()

    async def exhausted(self) -> bool:
        """True when nothing is in hand and no stream is pending, with whomever, but blocked ones."""
        return not self._in_flight and await self._due() is None

    async def _due(self) -> float | None:
        """In how many seconds a pending stream may be had; None when no stream is pending, but blocked ones."""
        (row,) = await self._tools.database.fetch(PENDING)
        due: float | None = row["due"]
        return due

    def _soonest(self) -> float | None:
        """In how many seconds work in hand is ready; None when nothing is in hand."""
        now = asyncio.get_running_loop().time()
        return min((max(0.0, work.ready_at - now) for work in self._in_flight.values()), default=None)

    async def _claim(self, limit: int) -> int:
        settings = self._tools.settings
        leases = await self._leases.claim(settings.name, limit=limit, ttl=settings.lease)
        now = asyncio.get_running_loop().time()
        for lease in leases:
            upto = lease.projected + self._events
            if settings.handler_latency:
                # Only events that were paid for may be applied, so those appended since the claim have to wait.
                upto = min(upto, lease.version)
            cost = settings.handler_latency * (upto - lease.projected)
            self._in_flight[lease.stream] = Work(lease, upto, now + cost)
        if leases:
            await self._tools.probe("claimed")
        return len(leases)

    async def _apply(self, works: Sequence[Work]) -> int:
        try:
            outcome = await self._run(works)
        except DEFECT:
            raise
        except POISON as error:
            return await self._isolate(works, error)
        await self._tools.probe("applied")
        before = await self._settle(works, {trouble.stream: trouble for trouble in outcome.troubled})
        return outcome.events + (await self._apply(before) if before else 0)

    async def _settle(self, works: Sequence[Work], troubled: Mapping[str, batch.Trouble]) -> list[Work]:
        """Let go of what is done, put off what is busy, record failures; returns the parts before a failure."""
        before = []
        for work in works:
            stream = work.lease.stream
            trouble = troubled.get(stream)
            if trouble is None:
                del self._in_flight[stream]
            elif trouble.busy:
                self._in_flight[stream] = replace(work, ready_at=asyncio.get_running_loop().time() + BUSY_S)
            elif work.lease.projected + 1 < trouble.version <= work.upto:
                before.append(replace(work, upto=trouble.version - 1))
            else:
                await self._fail(work, trouble.reason)
        return before

    async def _run(self, works: Sequence[Work]) -> batch.Outcome:
        rows = await self._tools.database.fetch(
            self._statement,
            streams=[work.lease.stream for work in works],
            epochs=[work.lease.epoch for work in works],
            uptos=[work.upto for work in works],
            holder=self._tools.settings.name,
            slot=self._tools.slot,
            others=len(self._in_flight) - len(works),
        )
        outcome = batch.outcome(rows[0])
        lost = len(works) - outcome.leases - sum(trouble.busy for trouble in outcome.troubled)
        if lost:
            log.warning("leases lost", lost=lost)
        return outcome

    async def _isolate(self, works: Sequence[Work], error: Exception) -> int:
        """Find the stream, and in it the event, that made the statement fail, by halves; all before it flows."""
        if len(works) > 1:
            middle = len(works) // 2
            return await self._apply(works[:middle]) + await self._apply(works[middle:])
        (work,) = works
        events = work.upto - work.lease.projected
        if events > 1:
            return await self._apply([replace(work, upto=work.lease.projected + events // 2)])
        await self._fail(work, f"{type(error).__name__}: {error}")
        return 0

    async def _fail(self, work: Work, reason: str) -> None:
        """Record that the lease's first event could not be applied, which ends the lease."""
        lease = work.lease
        del self._in_flight[lease.stream]
        error = f"version {lease.projected + 1}: {reason}"
        most = self._tools.settings.attempts
        blocked = await fail_stream(self._tools.database, lease, error=error, most=most, others=len(self._in_flight))
        log.warning("stream blocked" if blocked else "stream failed", stream=lease.stream, error=error)
        await self._tools.probe("failed")


def portions(works: Sequence[Work], most: int) -> Iterator[list[Work]]:
    """The works in turn, in lists of some `most` events: a statement must be done long before it times out."""
    portion: list[Work] = []
    events = 0
    for work in works:
        portion.append(work)
        events += work.events
        if events >= most:
            yield portion
            portion, events = [], 0
    if portion:
        yield portion
