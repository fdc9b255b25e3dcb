"""Unblock: try again, with all attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import asyncpg

from projection.operator.rows import FREE, UNBLOCK_CURSOR, Failed, lock, lock_cursor
from projection.operator.steps import Steps

UNBLOCK: Final = f"UPDATE streams SET {FREE} WHERE stream = $1"

# In the order of their names, as all locks. What is blocked anew meanwhile is left for the next command.
UNBLOCK_SOME: Final = f"""
WITH due AS MATERIALIZED (
  SELECT stream, blocked_at FROM streams
   WHERE blocked_at BETWEEN $1 AND $2 ORDER BY blocked_at LIMIT $3
),
locked AS MATERIALIZED (
  SELECT streams.stream
    FROM (SELECT stream FROM due ORDER BY stream) AS chosen
   CROSS JOIN LATERAL (
     SELECT s.stream FROM streams s
      WHERE s.stream = chosen.stream AND s.blocked_at BETWEEN $1 AND $2 FOR UPDATE
   ) AS streams
),
freed AS (
  UPDATE streams SET {FREE} WHERE stream = ANY (ARRAY(SELECT stream FROM locked)) RETURNING stream
)
SELECT (SELECT count(*) FROM freed) AS freed, (SELECT count(*) FROM due) AS seen,
       (SELECT max(blocked_at) FROM due) AS upto
"""

BLOCKED_BEFORE: Final = (
    "SELECT min(blocked_at) AS first, clock_timestamp() AS last FROM streams WHERE blocked_at IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Unblocked:
    """How many streams are tried again, and the event of the serial projection that is."""

    streams: int
    projection: Failed | None
    first: Failed | None = None

    @property
    def total(self) -> int:
        """How much was blocked; an event that blocked its stream and the projection counts once."""
        same = self.first is not None and self.projection is not None and self.first.stream == self.projection.stream
        return self.streams + (self.projection is not None and not same)

    def __str__(self) -> str:
        done = []
        if self.first is not None:
            done.append(f"{self.first} ({self.first.attempts} attempts: {self.first.error})")
        elif self.streams:
            done.append(f"{self.streams} streams")
        if self.projection is not None:
            done.append(f"the serial projection at {self.projection} ({self.projection.attempts} attempts)")
        return "unblocked " + " and ".join(done) if done else "nothing was blocked"


async def unblock(steps: Steps, stream: str | None) -> Unblocked:
    """Unblock one stream, and the serial projection if it waits at an event of it; without a stream, all and both.

    Raises UnknownStream when neither is so. With all, stops short of what is blocked after it began.
    """
    if stream is not None:
        return await _unblock_one(steps, stream)
    projection = await steps.run(_unblock_cursor)
    first, last = await steps.run(_blocked_before)
    freed = 0
    while first is not None:
        count, seen, upto = await steps.run(partial(_unblock_some, steps, first, last))
        freed += count
        steps.progress(f"unblocked {freed} streams")
        first = upto if seen else None
    return Unblocked(freed, projection)


async def _unblock_one(steps: Steps, stream: str) -> Unblocked:
    async def work(connection: asyncpg.Connection) -> Unblocked:
        rows = await lock(connection, stream)
        halts = rows.halts(stream)
        if rows.blocked is None and not halts:
            raise rows.refusal(stream)
        if rows.blocked is not None:
            await connection.execute(UNBLOCK, stream)
        if halts:
            await connection.execute(UNBLOCK_CURSOR)
        return Unblocked(int(rows.blocked is not None), rows.halted if halts else None, rows.blocked)

    return await steps.run(work)


async def _unblock_cursor(connection: asyncpg.Connection) -> Failed | None:
    halted = await lock_cursor(connection)
    if halted is not None:
        await connection.execute(UNBLOCK_CURSOR)
    return halted


async def _blocked_before(connection: asyncpg.Connection) -> tuple[datetime | None, datetime]:
    row = await connection.fetchrow(BLOCKED_BEFORE)
    return row["first"], row["last"]


async def _unblock_some(
    steps: Steps, first: datetime, last: datetime, connection: asyncpg.Connection
) -> tuple[int, int, datetime | None]:
    row = await connection.fetchrow(UNBLOCK_SOME, first, last, steps.size)
    return row["freed"], row["seen"], row["upto"]
