"""Gap detector with a liveness check: a missing position is waited for while a transaction lives that could fill it.

A position is taken from the sequence by an insert, which locks the table (ROW EXCLUSIVE) before that and until its end.
So what could fill a gap below a position that was read is among those that hold this lock afterwards; once they are
gone, what is still missing will never come. By the lock and not by the transaction's id: an insert has taken its
position before it has an id. So it also waits for whoever has the lock and no position yet, such as a session that has
parsed an insert and sent nothing since. Sound while the sequence has CACHE 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import asyncpg

from bench.answers.ordering.strategy import NEXT, PLAIN, UP_TO, Follower, Seen, Strategy, events

INSERTING: Final = """
 FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND relation = 'events'::regclass
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
LIVING: Final = f"SELECT coalesce(array_agg(virtualtransaction), '{{}}') {INSERTING}"

# A transaction that is prepared has no process any more, and its locks another name.
ALIVE: Final = f"SELECT EXISTS (SELECT {INSERTING} AND (virtualtransaction = ANY ($1::text[]) OR pid IS NULL))"


class OverGaps:
    """Reads on without a gap; at one, notes who could fill it, and passes all of the page once these are over."""

    def __init__(self, page: Any, up_to: Any, living: Any, alive: Any) -> None:
        self._page, self._up_to, self._living, self._alive = page, up_to, living, alive
        self._cursor = self._top = 0
        self._waited_for: list[str] = []

    @classmethod
    async def on(cls, connection: asyncpg.Connection) -> Self:
        """From the beginning of the log."""
        return cls(*[await connection.prepare(statement) for statement in (NEXT, UP_TO, LIVING, ALIVE)])

    async def read(self) -> Sequence[Seen]:
        """One statement without a gap; behind one, a look at the locks, and a read that begins after it."""
        return await self._beyond() if self._top > self._cursor else await self._onward()

    async def _onward(self) -> Sequence[Seen]:
        found = events(await self._page.fetch(self._cursor))
        whole = [event for number, event in enumerate(found, self._cursor + 1) if event.position == number]
        if len(whole) < len(found):
            self._top = found[-1].position
            self._waited_for = await self._living.fetchval()
        if whole:
            self._cursor = whole[-1].position
        return whole

    async def _beyond(self) -> Sequence[Seen]:
        if await self._alive.fetchval(self._waited_for):
            return ()
        found = events(await self._up_to.fetch(self._cursor, self._top))
        self._cursor = self._top
        return found


async def follow(connection: asyncpg.Connection) -> Follower:
    """From the beginning."""
    return await OverGaps.on(connection)


STRATEGY: Final = Strategy(
    title="gap detector: a gap is waited for while a transaction lives that could fill it",
    append=PLAIN,
    follow=follow,
    guarantee="a gap is passed only when all are over that held the table's insert lock after it was seen",
    price="nothing for writers; the reader looks at pg_locks for each page with a gap, and each rollback leaves one",
    failure="a stalled writer holds back the reader at its own position, and nobody else; a gap that is given up by the"
    " clock instead loses events",
)
