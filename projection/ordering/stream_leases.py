"""Strategy `stream-leases`: competing consumers, with one lease per stream, held across statements.

Events of a stream take effect in their order; between streams there is none. One that can not be applied stops its
stream alone. When a holder dies, its streams are taken over once their leases have expired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog
from sqlalchemy import text

from eventstore.connection.batch_size import BatchSize
from eventstore.connection.database import Statement
from eventstore.errors import StoreBusy, TimeLimit
from eventstore.sqlstates import smaller_may_pass
from projection.leases.claimable import DUE_IN_S
from projection.leases.contract import Lease
from projection.leases.failure import blames_an_event, fail_stream, reason_of
from projection.leases.streams import PostgresLeases
from projection.leases.work import Attempt, Work, portions, size_of
from projection.pauses import BUSY_S, pause_s
from projection.statement.outcome import Outcome, Trouble
from projection.statement.shapes import STREAM_LEASES
from projection.strategy import Step, Tools

PENDING: Final = Statement(text(f"SELECT {DUE_IN_S} AS due"))

SERIAL: Final = False
COSTLY_HANDLER: Final = True
LEASES: Final = True

log = structlog.get_logger()


class StreamLeases:
    """Claims what is pending and applies what is ready; at most `streams_in_flight` leases at once."""

    def __init__(self, tools: Tools) -> None:
        self._tools: Final = tools
        self._batch: Final = tools.handler.batches(tools.database, STREAM_LEASES)
        self._leases: Final = PostgresLeases(tools.database, tools.slot)
        self._events: Final = tools.events_at_once(tools.settings.events_per_stream)
        self._in_flight: dict[str, Work] = {}
        # What the server's limits allow: streams in a claim, events in a batch.
        self._claims: Final = BatchSize(tools.settings.streams_in_flight)
        self._batches: Final = BatchSize(max(1, tools.settings.events_per_batch))

    async def prepare(self) -> None:
        """Give the leases back that were in hand when the store went away; those that have passed on are left alone."""
        await self.release()

    async def step(self) -> Step:
        """Claim, then apply all that is ready. What a lock or a limit refuses stays in hand, and is put off.

        Raises StoreBusy when that kept it from applying anything.
        """
        free = self._tools.settings.streams_in_flight - len(self._in_flight)
        claimed = await self._claim(free) if free > 0 else 0
        now = asyncio.get_running_loop().time()
        ready = [work for work in self._in_flight.values() if work.ready_at <= now]
        attempt = Attempt(most_refusals=2 * len(ready).bit_length())
        events = 0
        for portion in portions(ready, self._batches.now):
            events += await self._apply(portion, attempt)
        if attempt.smaller:
            return Step(events, more=True)
        if attempt.error and not events:
            raise attempt.error
        if not claimed and not events and not self._in_flight:
            return Step(wait=await self._due(), quiet=True)
        # What was appended to a stream in hand had its call already.
        return Step(events, more=0 < free == claimed, wait=0.0 if events else self.soonest())

    async def renew(self) -> None:
        """Prolong the leases in hand."""
        for leases in self._leases_in_hand():
            await self._leases.renew(leases, ttl=self._tools.settings.lease)

    async def release(self) -> None:
        """Give the leases in hand back, unapplied."""
        for leases in self._leases_in_hand():
            await self._leases.release(leases)
        self._in_flight.clear()

    def _leases_in_hand(self) -> Iterator[list[Lease]]:
        """As many at once as could be claimed at once."""
        leases = [work.lease for work in self._in_flight.values()]
        most = self._claims.now
        return (leases[start : start + most] for start in range(0, len(leases), most))

    @property
    def in_hand(self) -> int:
        """How many leases it holds."""
        return len(self._in_flight)

    async def exhausted(self) -> bool:
        """True when nothing is in hand and no stream is pending, with whomever, but blocked ones."""
        return not self._in_flight and await self._due() is None

    async def _due(self) -> float | None:
        """In how many seconds a pending stream may be had; None when no stream is pending, but blocked ones."""
        (row,) = await self._tools.database.fetch(PENDING)
        due: float | None = row["due"]
        return due

    def soonest(self) -> float | None:
        """In how many seconds work in hand is ready; None when nothing is in hand."""
        now = asyncio.get_running_loop().time()
        return min((max(0.0, work.ready_at - now) for work in self._in_flight.values()), default=None)

    async def _claim(self, free: int) -> int:
        """Take up to so many leases. Where that meets a limit of the server's, half as many, and so on."""
        while True:
            limit = min(free, self._claims.now)
            try:
                leases = await self._leases.claim(
                    self._tools.settings.name, limit=limit, ttl=self._tools.settings.lease
                )
            except TimeLimit:
                if not self._claims.halve(limit):
                    raise
            else:
                self._claims.fitted(len(leases))
                break
        await self._take_in_hand(leases)
        return len(leases)

    async def _take_in_hand(self, leases: Sequence[Lease]) -> None:
        latency = self._tools.settings.handler_latency
        now = asyncio.get_running_loop().time()
        for lease in leases:
            upto = lease.projected + self._events
            if latency:
                # Only events that were paid for may be applied, so those appended since the claim have to wait.
                upto = min(upto, lease.version)
            self._in_flight[lease.stream] = Work(lease, upto, now + latency * (upto - lease.projected))
        if leases:
            await self._tools.hook("claimed")

    async def _apply(self, works: Sequence[Work], attempt: Attempt) -> int:
        """Apply the events of these works; returns how many took effect."""
        if attempt.smaller:
            return 0
        if attempt.given_up:
            self._put_off(works, tried=0)
            return 0
        try:
            outcome = await self._run(works)
        except Exception as error:
            if self._smaller(works, error, attempt):
                return 0
            if not blames_an_event(error):
                attempt.refused(error)
            return await self._isolate(works, error, attempt)
        self._batches.fitted(size_of(works))
        await self._tools.hook("applied")
        before = await self._settle(works, {trouble.stream: trouble for trouble in outcome.troubled})
        return outcome.events + (await self._apply(before, attempt) if before else 0)

    def _smaller(self, works: Sequence[Work], error: Exception, attempt: Attempt) -> bool:
        """Halve the batch that met a limit of the server's; True when the next step is to try it."""
        if not smaller_may_pass(error) or not self._batches.halve(size_of(works)):
            return False
        log.info("batch met a limit", error=str(error), events=size_of(works), next=self._batches.now)
        if not isinstance(error, StoreBusy):
            raise error
        attempt.smaller = True
        return True

    async def _settle(self, works: Sequence[Work], troubled: Mapping[str, Trouble]) -> list[Work]:
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

    async def _run(self, works: Sequence[Work]) -> Outcome:
        outcome = await self._batch(
            streams=[work.lease.stream for work in works],
            epochs=[work.lease.epoch for work in works],
            uptos=[work.upto for work in works],
            holder=self._tools.settings.name,
            slot=self._tools.slot,
            others=len(self._in_flight) - len(works),
        )
        lost = len(works) - outcome.leases - sum(trouble.busy for trouble in outcome.troubled)
        if lost:
            self._tools.counts.fenced += lost
            log.warning("leases lost", lost=lost)
        return outcome

    async def _isolate(self, works: Sequence[Work], error: Exception, attempt: Attempt) -> int:
        """Find the stream, and in it the event, that made the statement fail, by halves; all before it flows.

        An event is counted for it only when the error says that it is to blame; otherwise the stream is put off.
        """
        if len(works) > 1:
            middle = len(works) // 2
            return await self._apply(works[:middle], attempt) + await self._apply(works[middle:], attempt)
        (work,) = works
        if not blames_an_event(error):
            self._put_off(works, tried=1)
            return 0
        events = work.upto - work.lease.projected
        if events > 1:
            return await self._apply([replace(work, upto=work.lease.projected + events // 2)], attempt)
        await self._fail(work, reason_of(error))
        return 0

    def _put_off(self, works: Sequence[Work], *, tried: int) -> None:
        """Try them again later, each time after a longer pause; the lease stays in hand."""
        now = asyncio.get_running_loop().time()
        for work in works:
            held = self._in_flight[work.lease.stream]
            pause = pause_s(held.refused)
            self._in_flight[work.lease.stream] = replace(held, ready_at=now + pause, refused=held.refused + tried)

    async def _fail(self, work: Work, reason: str) -> None:
        """Record that the lease's first event could not be applied, which ends the lease."""
        lease = work.lease
        error = f"version {lease.projected + 1}: {reason}"
        most = self._tools.settings.attempts
        others = len(self._in_flight) - 1
        blocked = await fail_stream(self._tools.database, lease, error=error, most=most, others=others)
        del self._in_flight[lease.stream]
        log.warning("stream blocked" if blocked else "stream failed", stream=lease.stream, error=error)
        await self._tools.hook("failed")


MAKE: Final = StreamLeases
