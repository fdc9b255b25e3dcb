"""Reset: forget a projection, stream by stream, and have it projected again from the first event.

In each transaction, for its streams: rows, audit and checkpoint go, counters move by what was found there, and the
serial cursor goes back. So at every moment each stream is projected as its checkpoint says, whoever projects meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import asyncpg

from projection.operator.pieces import PAGES_A_STREAM, PIECE, pages_of, piece, pieces
from projection.operator.recount import Recounted, recount
from projection.operator.rows import ANEW, FREE, FREE_CURSOR, RECORDED, SLOT, lock
from projection.operator.steps import Steps
from projection.ordering.strategy import CURSOR

# A serial projector would walk the log from its start after each step: it stands by until the last one. If the command
# is killed, it goes on when this lease has ended.
LEASE: Final = "15 seconds"
REWIND_CURSOR: Final = f"""
UPDATE cursors SET {ANEW}, position = 0, stream = NULL, version = NULL,
       holder = $1, leased_until = clock_timestamp() + interval '{LEASE}'
 WHERE name = '{CURSOR}'
"""
RELEASE_CURSOR: Final = f"""
UPDATE cursors SET holder = NULL, leased_until = NULL WHERE name = '{CURSOR}' AND holder = $1
"""

TURN_BACK_CURSOR: Final = f"""
UPDATE cursors SET {FREE_CURSOR}, position = least(position, (SELECT min(position) - 1 FROM events WHERE stream = $1))
 WHERE name = '{CURSOR}'
"""

FORGET_PROGRESS: Final = "UPDATE tallies SET projected_position = 0, projected_at = NULL"

LOCK_SOME: Final = "SELECT stream FROM streams WHERE stream > $1 ORDER BY stream LIMIT $2 FOR UPDATE"

FORGET: Final = f"""
WITH old AS (
  SELECT stream, projected FROM streams WHERE stream = ANY ($1::text[])
),
removed AS (
  DELETE FROM todos WHERE id = ANY ($1::text[]) RETURNING deleted
),
gone AS (
  SELECT count(*) AS todos, count(*) FILTER (WHERE NOT deleted) AS active FROM removed
),
uncounted AS (
  INSERT INTO todo_tallies (slot, todos, active) SELECT {SLOT}, -todos, -active FROM gone WHERE todos > 0
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
),
unprojected AS (
  INSERT INTO tallies (slot, projected) SELECT {SLOT}, -sum(projected) FROM old HAVING sum(projected) > 0
  ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + excluded.projected
),
forgotten AS (
  UPDATE streams
     SET projected = 0, {FREE}, pending_since = coalesce({RECORDED.format(version=1)}, clock_timestamp())
   WHERE stream = ANY ($1::text[])
     AND (projected > 0 OR attempts > 0 OR blocked_at IS NOT NULL OR holder IS NOT NULL)
  RETURNING stream
)
SELECT (SELECT count(*) FROM forgotten) AS streams, (SELECT coalesce(sum(projected), 0)::bigint FROM old) AS events,
       todos, active
  FROM gone
"""

# The audit has no index by stream, as it would cost every batch. IS TRUE keeps the look at the names a lookup in a hash
# table, whatever the planner is told.
UNAUDIT: Final = f"DELETE FROM projection_audit WHERE {PIECE} AND (stream IN (SELECT unnest($3::text[]))) IS TRUE"

STRAYS: Final = {
    "todos": f"DELETE FROM todos t WHERE {PIECE} AND NOT EXISTS (SELECT FROM streams s WHERE s.stream = t.id)",
    "projection_audit": f"""
DELETE FROM projection_audit a
 WHERE {PIECE} AND NOT EXISTS (SELECT FROM streams s WHERE s.stream = a.stream AND s.projected >= a.to_version)
""",
}
"""What belongs to no stream, or to none of its events that are projected: made, or left over, by hand."""


@dataclass(frozen=True, slots=True)
class Reset:
    """What was put back: streams, the events that are to be projected again, rows, and counters that were off."""

    stream: str | None = None
    streams: int = 0
    events: int = 0
    todos: int = 0
    active: int = 0
    recounted: Recounted = field(default_factory=Recounted)

    def plus(self, other: Reset) -> Reset:
        """Both together."""
        return replace(
            self,
            streams=self.streams + other.streams,
            events=self.events + other.events,
            todos=self.todos + other.todos,
            active=self.active + other.active,
        )

    def __str__(self) -> str:
        what = f"stream {self.stream!r}" if self.stream is not None else f"{self.streams} streams"
        return (
            f"reset {what}: {self.events} events are projected again from the first; "
            f"projected -{self.events}, todos -{self.todos}, active -{self.active}; {self.recounted}"
        )


async def reset(steps: Steps, stream: str | None, *, after: str = "", total: int = 0) -> Reset:
    """Forget one stream's projection, or all of them, in the order of their names, beginning after stream `after`.

    Ends with a recount, since what was damaged by hand left wrong counters. Raises UnknownStream.
    """
    done = await (_reset_all(steps, after, total) if stream is None else _reset_one(steps, stream))
    return replace(done, recounted=await recount(steps))


async def _reset_one(steps: Steps, stream: str) -> Reset:
    async def work(connection: asyncpg.Connection) -> Reset:
        await lock(connection, stream)
        await connection.execute(TURN_BACK_CURSOR, stream)
        forgotten = await _forget(connection, [stream])
        await _unaudit(connection, [stream], steps.size)
        return replace(forgotten, stream=stream)

    return await steps.run(work)


async def _reset_all(steps: Steps, after: str, total: int) -> Reset:
    holder = f"operator-{secrets.token_hex(3)}"
    if not after:
        await steps.run(lambda connection: connection.execute(FORGET_PROGRESS))
    done, place, seen = Reset(), after, 0
    while True:
        step, names = await steps.run(partial(_reset_some, steps, holder, place))
        if not names:
            break
        done, place, seen = done.plus(step), names[-1], seen + len(names)
        steps.place = place
        steps.progress(f"reset {seen} of {total or '?'} streams; to go on from here: reset --all --after {place}")
    for table, statement in STRAYS.items():
        await _sweep(steps, table, statement)
    await steps.run(lambda connection: connection.execute(RELEASE_CURSOR, holder))
    return done


async def _reset_some(
    steps: Steps, holder: str, after: str, connection: asyncpg.Connection
) -> tuple[Reset, Sequence[str]]:
    await connection.execute(REWIND_CURSOR, holder)
    names = [row["stream"] for row in await connection.fetch(LOCK_SOME, after, steps.size)]
    step = await _forget(connection, names)
    if step.events:
        await _unaudit(connection, names, steps.size)
    return step, names


async def _unaudit(connection: asyncpg.Connection, names: Sequence[str], size: int) -> None:
    async for first, end in pieces(connection, "projection_audit", size):
        await connection.execute(UNAUDIT, first, end, names)


async def _forget(connection: asyncpg.Connection, names: Sequence[str]) -> Reset:
    row = await connection.fetchrow(FORGET, names)
    return Reset(streams=row["streams"], events=row["events"], todos=row["todos"], active=row["active"])


async def _sweep(steps: Steps, table: str, statement: str) -> None:
    pages, first = await steps.run(partial(pages_of, table)), 0
    while first < pages:
        first = await steps.run(partial(_sweep_some, steps, statement, first))
        steps.progress(f"looking for rows of {table} without a stream: page {min(first, pages)} of {pages}")


async def _sweep_some(steps: Steps, statement: str, first: int, connection: asyncpg.Connection) -> int:
    size = steps.size
    await connection.execute(statement, *piece(first, size))
    return first + size * PAGES_A_STREAM
