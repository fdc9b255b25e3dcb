"""Serial mode: a single lease, and one projector at a time that walks the global order."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
import structlog
from sqlalchemy import text

from eventstore import cursors
from eventstore.cursors import CursorLease
from eventstore.database import Statement
from eventstore.errors import InvalidEvent
from eventstore.events import Position
from eventstore.visibility import safe_position
from services.projector import batch
from services.projector.failure import fail_cursor
from services.projector.modes import CURSOR, Step, Tools

BATCH: Final = batch.serial()

AHEAD: Final = Statement(
    text("""
SELECT count(*) AS events, max(position) AS last
  FROM (SELECT position FROM events WHERE position > :after AND position <= :upto ORDER BY position LIMIT :limit) AS e
""")
)

PENDING: Final = Statement(
    text("""
SELECT EXISTS (
  SELECT FROM cursors c
   WHERE c.name = :name AND c.blocked_at IS NULL AND EXISTS (SELECT FROM events e WHERE e.position > c.position)
) AS pending
""")
)

log = structlog.get_logger()


class Serial:
    """Holds the cursor's lease as long as it can; stands by while another projector has it."""

    def __init__(self, tools: Tools, statement: Statement = BATCH) -> None:
        self._tools: Final = tools
        self._statement: Final = statement
        self._most: Final = tools.events_at_once(tools.settings.events_per_window)
        self._limit = self._most
        self._lease: CursorLease | None = None
        self._read_upto = Position(0)

    async def prepare(self) -> None:
        """Forget the lease, and make sure that there is a cursor."""
        self._lease = None
        await cursors.prepare(self._tools.database, CURSOR)

    async def step(self) -> Step:
        """Take the lease if it is free; then apply the next window of the log up to where nothing can still commit."""
        if self._lease is None and not await self._claim():
            return Step()
        upto = await safe_position(self._tools.database, self._tools.settings.visibility)
        if upto <= self._read_upto:
            return Step()
        if self._tools.settings.handler_latency:
            upto = await self._pay(upto)
        return await self._apply(upto)

    async def renew(self) -> None:
        """Prolong the lease."""
        if self._lease:
            await cursors.renew(self._tools.database, self._lease, ttl=self._tools.settings.lease)

    async def release(self) -> None:
        """Give the lease back, so that a projector that stands by goes on at once."""
        lease, self._lease = self._lease, None
        if lease:
            await cursors.release(self._tools.database, lease)

    async def exhausted(self) -> bool:
        """True when the cursor stands at the end of the log, or is blocked."""
        (row,) = await self._tools.database.fetch(PENDING, name=CURSOR)
        return not row["pending"]

    async def _claim(self) -> bool:
        settings = self._tools.settings
        self._lease = await cursors.claim(self._tools.database, CURSOR, settings.name, ttl=settings.lease)
        if self._lease is None:
            return False
        self._read_upto = self._lease.position
        await self._tools.probe("claimed")
        return True

    async def _pay(self, upto: Position) -> Position:
        """Wait the handler's artificial cost of the next events, one after another; returns the last one's position."""
        (row,) = await self._tools.database.fetch(AHEAD, after=self._read_upto, upto=upto, limit=self._limit)
        await asyncio.sleep(self._tools.settings.handler_latency * row["events"])
        return Position(row["last"] or upto)

    async def _apply(self, upto: Position) -> Step:
        try:
            outcome = await self._run(upto)
        except (asyncpg.PostgresError, InvalidEvent) as error:
            return await self._narrow(error)
        await self._tools.probe("applied")
        if outcome.leases == 0:
            log.warning("lease lost", cursor=CURSOR)
            self._lease = None
            return Step(more=True)
        if outcome.troubled:
            first = min(outcome.troubled, key=lambda trouble: trouble.position)
            return await self._before(first)
        self._read_upto = upto if outcome.walked < self._limit else Position(outcome.last or upto)
        more = outcome.walked == self._limit
        self._limit = min(self._most, self._limit * 2)
        return Step(outcome.events, more=more)

    async def _run(self, upto: Position) -> batch.Outcome:
        assert self._lease
        rows = await self._tools.database.fetch(
            self._statement,
            name=CURSOR,
            epoch=self._lease.epoch,
            upto=upto,
            limit=self._limit,
            holder=self._tools.settings.name,
            slot=self._tools.slot,
            ttl=self._tools.settings.lease,
        )
        return batch.outcome(rows[0])

    async def _before(self, trouble: batch.Trouble) -> Step:
        """Apply what comes before the trouble in the global order; if nothing does, record the failure."""
        (row,) = await self._tools.database.fetch(
            AHEAD, after=self._read_upto, upto=trouble.position - 1, limit=self._limit
        )
        if row["events"]:
            return await self._apply(Position(trouble.position - 1))
        await self._fail(f"stream {trouble.stream}, version {trouble.version}: {trouble.reason}")
        return Step()

    async def _narrow(self, error: Exception) -> Step:
        """Find the event that made the statement fail, by halves of the window."""
        if self._limit > 1:
            self._limit //= 2
            return Step(more=True)
        await self._fail(f"{type(error).__name__}: {error}")
        return Step()

    async def _fail(self, error: str) -> None:
        lease, self._lease = self._lease, None
        assert lease
        most = self._tools.settings.attempts
        blocked = await fail_cursor(self._tools.database, lease, error=error, most=most)
        log.warning("projection blocked" if blocked else "projection failed", error=error)
        await self._tools.probe("failed")
