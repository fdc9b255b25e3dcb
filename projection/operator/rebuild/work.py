"""Work of a rebuild before its switch: fill every stream once, then follow the batches until little is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import asyncpg

from projection.hooks import Hook
from projection.operator.pieces import PAGES_A_STREAM, pages_of, piece
from projection.operator.rebuild.compared import Compared, quoted
from projection.operator.rebuild.filling import AFTER, THESE, Filling, Standing
from projection.operator.rebuild.record import NEWEST, Progress, Record
from projection.operator.rebuild.schemas import Schemas, Table
from projection.operator.rebuild.switch import REST
from projection.operator.steps import Steps

LITTLE: Final = 500
"""With fewer rows of the audit left than this, or no fewer than after the pass before, the rest is for the switch."""

_CHANGED: Final = "SELECT DISTINCT stream FROM projection_audit WHERE id > $1 AND id <= $2"
_DIFFERING: Final = "SELECT DISTINCT stream FROM rebuild_differences WHERE stream > $1 ORDER BY stream LIMIT $2"
_DISTURBED: Final = """
SELECT EXISTS (
  SELECT FROM pg_locks
   WHERE locktype = 'relation' AND mode = 'ShareUpdateExclusiveLock'
     AND relation IN (SELECT one::regclass FROM unnest($1::text[]) AS given(one))
)
"""
_UNDISTURBED_S: Final = 60.0
_LOOK_S: Final = 0.2
_TOTAL: Final = "SELECT coalesce(sum(projected), 0)::bigint FROM tallies"


@dataclass
class Work:
    """Pieces, one transaction each, that bring the shadow to where the live tables stand."""

    steps: Steps
    schemas: Schemas
    tables: list[Table]
    record: Record
    filling: Filling
    compared: Compared
    pause_s: float
    hook: Hook
    had: int | None = None
    total: int = 0
    looked: bool = False

    async def fill(self) -> None:
        """Every stream once, but for what was done before; then look for rows of no stream, once in each call."""
        progress = await self.steps.run(self._read)
        self.looked = self.looked and progress.whole
        if progress.whole and not self.looked:
            await self._look_again()
        if progress.commands is None:
            progress, _ = await self._fence()
        self.total = await self.steps.run(lambda connection: connection.fetchval(_TOTAL))
        while not progress.whole:
            progress = await self._piece(self._fill_some)
        if not self.looked:
            await self._look_for_strays()
            self.looked = True

    async def catch_up(self) -> int:
        """Follow the batches until little is left. How many passes that took."""
        passes = 0
        former: int | None = None
        while True:
            progress, newest = await self._fence()
            if not progress.whole:
                await self.fill()
                continue
            while progress.mark < newest:
                progress = await self._piece(partial(self._follow_some, newest))
            passes += 1
            left = await self.steps.run(lambda connection: connection.fetchval(NEWEST)) - newest
            if left < LITTLE or (former is not None and former <= left < REST):
                return passes
            former = left

    async def _read(self, connection: asyncpg.Connection) -> Progress:
        await self.schemas.enter(connection)
        return self._noted(await self.record.read(connection))

    def _noted(self, progress: Progress) -> Progress:
        """Remember how much there was when this call began, or began again."""
        self.had = progress.events if self.had is None else min(self.had, progress.events)
        return progress

    async def _fence(self) -> tuple[Progress, int]:
        async def work(connection: asyncpg.Connection) -> tuple[Progress, int]:
            await self.schemas.enter(connection)
            return await self.record.fence(connection, self.tables)

        progress, newest = await self.steps.run(work)
        await self.hook("fenced")
        return self._noted(progress), newest

    async def _piece(self, work: Callable[[asyncpg.Connection], Awaitable[Progress]]) -> Progress:
        """One transaction, in one snapshot."""
        done = await self.steps.run(work, isolation="repeatable_read")
        await self.hook("filled")
        self.steps.progress(f"filled {done.events:,} of some {max(self.total, done.events):,} events")
        if self.pause_s:
            await asyncio.sleep(self.pause_s)
        return done

    async def _fill_some(self, connection: asyncpg.Connection) -> Progress:
        progress = await self._read(connection)
        size = self.steps.size
        streams = [Standing.of(row) for row in await connection.fetch(AFTER, progress.filled, size)]
        filled = await self.filling.take(connection, streams, size)
        whole = filled.whole and len(streams) < size
        to = replace(progress, filled=filled.last or progress.filled, whole=whole)
        return await self.record.move(connection, to, streams=filled.streams, events=filled.events)

    async def _follow_some(self, newest: int, connection: asyncpg.Connection) -> Progress:
        progress = await self._read(connection)
        size = self.steps.size
        upto = min(newest, progress.mark + size)
        names = [row["stream"] for row in await connection.fetch(_CHANGED, progress.mark, upto)]
        streams = [Standing.of(row) for row in await connection.fetch(THESE, names)]
        filled = await self.filling.take(connection, streams, size)
        to = replace(progress, mark=upto) if filled.whole else progress
        return await self.record.move(connection, to, streams=filled.streams, events=filled.events)

    async def _look_again(self) -> None:
        """Compare anew what differed when a former call looked: somebody may have mended it by hand."""
        place: str | None = ""
        while place is not None:
            place = await self.steps.run(partial(self._look_at_some, place), isolation="repeatable_read")

    async def _look_at_some(self, place: str, connection: asyncpg.Connection) -> str | None:
        progress = await self._read(connection)
        names = [row["stream"] for row in await connection.fetch(_DIFFERING, place, self.steps.size)]
        streams = [Standing.of(row) for row in await connection.fetch(THESE, names)]
        filled = await self.filling.take(connection, streams, self.steps.size)
        await self.record.move(connection, progress, streams=filled.streams, events=filled.events)
        return names[-1] if names else None

    async def until_undisturbed(self) -> None:
        """Wait while a vacuum, or whoever else has a lock that a switch must wait for, is at the live tables.

        Projectors would queue behind the switch, which would wait for the vacuum; so it is awaited without any lock.
        """
        names = [*(f"{self.schemas.live}.{one.name}" for one in self.tables), "projection_audit"]
        until = time.monotonic() + _UNDISTURBED_S
        while await self.steps.run(lambda connection: connection.fetchval(_DISTURBED, names)):
            if time.monotonic() > until:
                return
            self.steps.progress("a vacuum is at the live tables: the switch waits for its end")
            await asyncio.sleep(_LOOK_S)

    async def _look_for_strays(self) -> None:
        await self.steps.run(self._forget_strays)
        for table in self.compared.of_stream:
            pages, first = await self.steps.run(partial(pages_of, f"{self.schemas.live}.{quoted(table)}")), 0
            while first < pages:
                first = await self.steps.run(partial(self._strays_of_some, table, first))
                self.steps.progress(f"looking for rows of {table} without a stream: page {first} of {pages}")
        for one in self.tables:
            await self.steps.run(partial(_analyze, f"{self.schemas.shadow}.{one.name}"))

    async def _forget_strays(self, connection: asyncpg.Connection) -> None:
        await self.schemas.enter(connection)
        await self.compared.forget_strays(connection)

    async def _strays_of_some(self, table: str, first: int, connection: asyncpg.Connection) -> int:
        progress = await self._read(connection)
        size = self.steps.size
        await self.compared.strays(connection, table, piece(first, size))
        await self.record.move(connection, progress)
        return first + size * PAGES_A_STREAM


async def _analyze(table: str, connection: asyncpg.Connection) -> None:
    await connection.execute(f"ANALYZE {table}")
