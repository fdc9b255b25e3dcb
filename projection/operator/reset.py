"""Reset: forget a projection, stream by stream, and have it projected again from the first event.

In each transaction, for its streams: rows, audit and checkpoint go, counters move by what was found there, and the
serial cursor goes back. So at every moment each stream is projected as its checkpoint says, whoever projects meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.statement import Statement
from projection.leases.cursors import CURSOR
from projection.operator.pieces import PAGES_A_STREAM, PIECE, pages_of, piece, pieces
from projection.operator.recount import Recounted, recount
from projection.operator.rows import ANEW, FREE, FREE_CURSOR, RECORDED, SLOT, lock
from projection.operator.steps import Steps
from projection.read_model import EventTally, ReadModels

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

_OLD: Final = """WITH old AS (
  SELECT stream, projected FROM streams WHERE stream = ANY (:streams ::text[])
)"""
_FORGET: Final = f"""
unprojected AS (
  INSERT INTO tallies (slot, projected) SELECT :slot ::smallint, -sum(projected) FROM old HAVING sum(projected) > 0
  ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + excluded.projected
),
forgotten AS (
  UPDATE streams
     SET projected = 0, skipped = NULL, {FREE},
         pending_since = coalesce({RECORDED.format(version=1)}, clock_timestamp())
   WHERE stream = ANY (:streams ::text[])
     AND (projected > 0 OR attempts > 0 OR blocked_at IS NOT NULL OR holder IS NOT NULL)
  RETURNING stream
)
SELECT (SELECT count(*) FROM forgotten) AS streams,
       (SELECT coalesce(sum(projected), 0)::bigint FROM old) AS events"""

# The audit has no index by stream, as it would cost every batch. IS TRUE keeps the look at the names a lookup in a hash
# table, whatever the planner is told.
UNAUDIT: Final = f"""WITH spans AS (
  DELETE FROM projection_audit WHERE {PIECE} AND (stream IN (SELECT unnest($3::text[]))) IS TRUE
  RETURNING stream, from_version AS first, to_version AS last
)"""

STRAYS: Final = {
    "projection_audit": """NOT EXISTS (
   SELECT FROM streams s WHERE s.stream = projection_audit.stream AND s.projected >= projection_audit.to_version)"""
}
"""What belongs to no stream, or to none of its events that are projected: made, or left over, by hand."""


def statement(models: ReadModels) -> Statement:
    """Forgets the projection of `streams` in all read models; counters move in the row `slot`."""
    undoing = [model.undo for model in models if model.undo]
    counted = [undo.counted for undo in undoing if undo.counted]
    told = f", {', '.join(f'{name}.*' for name in counted)}\n  FROM {', '.join(counted)}" if counted else ""
    return Statement(text(",".join([_OLD, *(undo.statements for undo in undoing), _FORGET]) + told))


def unauditing(models: ReadModels) -> str:
    """Takes the audit rows of some streams away in a piece of it, and back what events counted that they stand for."""
    tallies = [tally for model in models for tally in model.event_tallies]
    return ",".join([UNAUDIT, *map(_uncounted, tallies)]) + "\nSELECT"


def _uncounted(tally: EventTally) -> str:
    names = ", ".join(tally.counters)
    less = ", ".join(f"-{name}" for name in tally.counters)
    more = ", ".join(f"{name} = {tally.table}.{name} + excluded.{name}" for name in tally.counters)
    return f"""
{tally.table}_uncounted AS (
  INSERT INTO {tally.table} ({tally.key}, slot, {names})
  SELECT {tally.key}, {SLOT}, {less} FROM ({tally.counted}) AS counted ORDER BY {tally.key}
  ON CONFLICT ({tally.key}, slot) DO UPDATE SET {more}
)"""


def _strays(models: ReadModels) -> dict[str, str]:
    """The statement, by table, that removes them from a piece of it."""
    undoing = [model.undo for model in models if model.undo]
    strays = {table: which for undo in undoing for table, which in undo.strays.items()} | STRAYS
    return {table: f"DELETE FROM {table} WHERE {PIECE} AND {which}" for table, which in strays.items()}


@dataclass(frozen=True, slots=True)
class Reset:
    """What was put back: streams, the events that are to be projected again, and counters that were off.

    `rows` is what the read models tell of what they had.
    """

    stream: str | None = None
    streams: int = 0
    events: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    recounted: Recounted = field(default_factory=Recounted)

    def plus(self, other: Reset) -> Reset:
        """Both together."""
        return replace(
            self,
            streams=self.streams + other.streams,
            events=self.events + other.events,
            rows={name: self.rows.get(name, 0) + other.rows.get(name, 0) for name in {**self.rows, **other.rows}},
        )

    def __str__(self) -> str:
        what = f"stream {self.stream!r}" if self.stream is not None else f"{self.streams} streams"
        less = ", ".join(f"{name} -{number}" for name, number in {"projected": self.events, **self.rows}.items())
        return f"reset {what}: {self.events} events are projected again from the first; {less}; {self.recounted}"


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
        forgotten = await _forget(connection, [stream], steps.models)
        await _unaudit(connection, [stream], steps)
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
    for table, removing in _strays(steps.models).items():
        await _sweep(steps, table, removing)
    await steps.run(lambda connection: connection.execute(RELEASE_CURSOR, holder))
    return done


async def _reset_some(
    steps: Steps, holder: str, after: str, connection: asyncpg.Connection
) -> tuple[Reset, Sequence[str]]:
    await connection.execute(REWIND_CURSOR, holder)
    names = [row["stream"] for row in await connection.fetch(LOCK_SOME, after, steps.size)]
    step = await _forget(connection, names, steps.models)
    if step.events:
        await _unaudit(connection, names, steps)
    return step, names


async def _unaudit(connection: asyncpg.Connection, names: Sequence[str], steps: Steps) -> None:
    statement = unauditing([model for model in steps.models if model.name not in steps.unseen])
    async for first, end in pieces(connection, "projection_audit", steps.size):
        await connection.execute(statement, first, end, names)


async def _forget(connection: asyncpg.Connection, names: Sequence[str], models: ReadModels) -> Reset:
    forgetting = statement(models)
    arguments = forgetting.arguments({"streams": names, "slot": SLOT})
    rows = dict(await connection.fetchrow(forgetting.sql, *arguments))
    return Reset(streams=rows.pop("streams"), events=rows.pop("events"), rows=rows)


async def _sweep(steps: Steps, table: str, statement: str) -> None:
    pages, first = await steps.run(partial(pages_of, table)), 0
    while first < pages:
        first = await steps.run(partial(_sweep_some, steps, statement, first))
        steps.progress(f"looking for rows of {table} without a stream: page {min(first, pages)} of {pages}")


async def _sweep_some(steps: Steps, statement: str, first: int, connection: asyncpg.Connection) -> int:
    size = steps.size
    await connection.execute(statement, *piece(first, size))
    return first + size * PAGES_A_STREAM
