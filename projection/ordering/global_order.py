"""Strategy `global-order`: leader by lease, one projector at a time that walks the log in its order.

Events take effect in the order of their positions, read no further than where nothing can still commit. One that can
not be applied stops the projection.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from eventstore.connection.batch_size import BatchSize
from eventstore.errors import StoreBusy, StoreUnavailable
from eventstore.events import Position
from eventstore.sqlstates import smaller_may_pass
from eventstore.visibility.safe_position import safe_position
from projection.leases import cursors
from projection.leases.cursors import CURSOR, CursorLease
from projection.leases.failure import blames_an_event, fail_cursor, reason_of
from projection.pauses import BUSY_S
from projection.statement.log import AHEAD, NEXT, PENDING
from projection.statement.outcome import Outcome, Trouble
from projection.statement.shapes import GLOBAL_ORDER
from projection.strategy import Step, Tools

SERIAL: Final = True
COSTLY_HANDLER: Final = True
LEASES: Final = True

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of the log, to be applied up to a position, not before `ready_at` (the handler's artificial cost)."""

    upto: Position
    ready_at: float


@dataclass(slots=True)
class Term:
    """The lease in hand: how far the log was read under it, the window being paid for, and whether it was lost."""

    lease: CursorLease
    read_upto: Position
    window: Window | None = None
    lost: bool = False


class GlobalOrder:
    """Holds the cursor's lease as long as it can; stands by while another projector has it."""

    def __init__(self, tools: Tools) -> None:
        self._tools: Final = tools
        self._batch: Final = tools.handler.batches(tools.database, GLOBAL_ORDER)
        self._most: Final = tools.events_at_once(tools.settings.events_per_window)
        # What the server's limits allow, and what the search for an event, or for one that is not busy, has left of it.
        self._size: Final = BatchSize(self._most)
        self._search = self._most
        self._term: Term | None = None
        self._doubtful = False

    async def prepare(self) -> None:
        """Give the lease back that was in hand when the store went away, and make sure that there is a cursor."""
        await self.release()
        await cursors.prepare(self._tools.database, CURSOR)

    async def step(self) -> Step:
        """Take the lease if it is free; then apply the next window of the log up to where nothing can still commit."""
        if self._term and self._term.lost:
            self._tools.counts.fenced += 1
            log.warning("lease lost", cursor=CURSOR)
            await self.release()
        term = self._term or await self._claim()
        if term is None:
            return Step()
        try:
            return await self._next(term)
        except StoreUnavailable as error:
            if not self._smaller(term, error):
                raise
            return Step(more=True)

    async def _next(self, term: Term) -> Step:
        window = term.window or await self._next_window(term)
        if window is None:
            return Step()
        # It stays in hand until something came of it: what was paid for is not paid for again.
        term.window = window
        wait = window.ready_at - asyncio.get_running_loop().time()
        if wait > 0:
            return Step(wait=wait)
        step = await self._apply(term, window.upto)
        term.window = None
        return step

    def _smaller(self, term: Term, error: StoreUnavailable) -> bool:
        """Halve the batch that met a limit of the server's. True when it may be sent at once."""
        if not smaller_may_pass(error):
            return False
        tried = min(self._limit, term.window.upto - term.read_upto) if term.window else self._limit
        if not self._size.halve(tried):
            return False
        log.info("batch met a limit", error=str(error), events=tried, next=self._limit)
        return isinstance(error, StoreBusy)

    @property
    def _limit(self) -> int:
        return min(self._search, self._size.now)

    async def renew(self) -> None:
        """Prolong the lease, or find that it is lost: somebody may have moved the cursor while there was no work.

        Who has none makes sure that there is a cursor to be had: a restore may have taken it away.
        """
        term = self._term
        self._doubtful = True
        if term is None:
            await cursors.prepare(self._tools.database, CURSOR)
        elif not await cursors.renew(self._tools.database, term.lease, ttl=self._tools.settings.lease):
            term.lost = True

    async def release(self) -> None:
        """Give the lease back, so that a projector that stands by goes on at once."""
        if self._term:
            await cursors.release(self._tools.database, self._term.lease)
            self._term = None

    async def exhausted(self) -> bool:
        """True when the cursor, whoever holds it, stands at the end of the log, or is blocked."""
        return not await self._tools.database.fetch(PENDING, name=CURSOR)

    async def _claim(self) -> Term | None:
        settings = self._tools.settings
        lease = await cursors.claim(self._tools.database, CURSOR, settings.name, ttl=settings.lease)
        if lease is None:
            return None
        self._term = Term(lease, lease.position)
        await self._tools.hook("claimed")
        return self._term

    async def _next_window(self, term: Term) -> Window | None:
        settings = self._tools.settings
        now = asyncio.get_running_loop().time()
        upto = await safe_position(self._tools.database, settings.visibility)
        if upto <= term.read_upto and not await self._missed(term):
            return None
        if not settings.handler_latency:
            return Window(upto, now)
        # Only events that were paid for may be applied; the next window begins after them.
        ahead = await self._ahead(term, upto)
        return Window(Position(ahead["last"] or upto), now + settings.handler_latency * ahead["unprojected"])

    async def _missed(self, term: Term) -> bool:
        """Ask the log itself now and then: what was read without an event may be given out again after all.

        So it is where the end of the log was rolled back, and the sequence then set to the newest event.
        """
        doubtful, self._doubtful = self._doubtful, False
        found = await self._tools.database.fetch(PENDING, name=CURSOR) if doubtful else []
        if found:
            term.read_upto = Position(found[0]["position"])
        return bool(found)

    async def _ahead(self, term: Term, upto: int) -> asyncpg.Record:
        (row,) = await self._tools.database.fetch(AHEAD, after=term.read_upto, upto=upto, limit=self._limit)
        return row

    async def _apply(self, term: Term, upto: Position) -> Step:
        limit = self._limit
        try:
            outcome = await self._run(term, upto)
        except Exception as error:
            if not blames_an_event(error):
                raise
            return await self._narrow(term, upto, error)
        await self._tools.hook("applied")
        if outcome.leases == 0:
            self._tools.counts.fenced += 1
            log.warning("lease lost", cursor=CURSOR)
            self._term = None
            return Step(more=True)
        if outcome.troubled:
            return await self._before(term, min(outcome.troubled, key=lambda trouble: trouble.position or 0))
        more = outcome.walked == limit
        term.read_upto = Position(outcome.last or upto) if more else upto
        self._search = min(self._most, self._search * 2)
        self._size.fitted(outcome.walked)
        return Step(outcome.events, more=more)

    async def _run(self, term: Term, upto: Position) -> Outcome:
        return await self._batch(
            name=CURSOR,
            epoch=term.lease.epoch,
            upto=upto,
            limit=self._limit,
            holder=self._tools.settings.name,
            slot=self._tools.slot,
            ttl=self._tools.settings.lease,
        )

    async def _before(self, term: Term, trouble: Trouble) -> Step:
        """Apply what comes before the trouble in the global order; if nothing does, record the failure, or wait."""
        if trouble.busy:
            # The larger a window, the likelier it is that somebody has one of its streams.
            self._search = max(1, self._limit // 2)
        upto = Position((trouble.position or 0) - 1)
        if (await self._ahead(term, upto))["events"]:
            return await self._apply(term, upto)
        if trouble.busy:
            return Step(wait=BUSY_S)
        await self._fail(term, trouble.stream, trouble.version, trouble.reason)
        return Step()

    async def _narrow(self, term: Term, upto: Position, error: Exception) -> Step:
        """Find the event that made the statement fail, by halves of the window."""
        if self._limit > 1:
            self._search = self._limit // 2
            return Step(more=True)
        (event,) = await self._tools.database.fetch(NEXT, after=term.read_upto, upto=upto)
        await self._fail(term, event["stream"], event["version"], reason_of(error))
        return Step()

    async def _fail(self, term: Term, stream: str, version: int, reason: str) -> None:
        error = f"stream {stream}, version {version}: {reason}"
        most = self._tools.settings.attempts
        blocked = await fail_cursor(
            self._tools.database, term.lease, stream=stream, version=version, error=error, most=most
        )
        self._term = None
        log.warning("projection blocked" if blocked else "projection failed", error=error)
        await self._tools.hook("failed")


MAKE: Final = GlobalOrder
