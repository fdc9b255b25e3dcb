"""Batched append: one event for each of n streams, without idempotency keys.

One statement, one commit, with the guarantees of `eventstore.append.general`: each append all or nothing, locked,
patient, announced after all locks. A version conflict yields no row, that append writes nothing, and the general
statement names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import text

from eventstore.append.general import PATIENCE, Append, in_range
from eventstore.connection.statement import Statement
from eventstore.connection.wakeup import CARRY
from eventstore.events import Appended, Position

# Streams are found by `= ANY`, along the index in the order of their names, whatever statistics say. What an append
# brings is looked up by its stream's name in one document: the cost is linear, and one parameter is sent for all.
# Heads are counted before the first event is stored, so all rows are locked before the insert announces itself.
APPEND_BATCHED: Final = Statement(
    text(f"""
WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '{PATIENCE}', true), {CARRY}
),
created AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT stream, 1, clock_timestamp() FROM patience, unnest(:new ::text[]) AS stream
  ON CONFLICT (stream) DO NOTHING
  RETURNING stream, version
),
moved AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = ANY (:old ::text[]) AND s.version = (:given ::jsonb -> s.stream -> 0)::int
  RETURNING s.stream, s.version
),
heads AS MATERIALIZED (
  SELECT stream, version FROM created UNION ALL SELECT stream, version FROM moved
),
locked AS MATERIALIZED (
  SELECT count(*) AS heads FROM heads
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT heads.stream, heads.version, event.of ->> 1, event.of -> 2
    FROM heads CROSS JOIN LATERAL (SELECT :given ::jsonb -> heads.stream AS of OFFSET 0) AS event
  RETURNING stream, version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, locked.heads, made.streams
    FROM locked, (SELECT count(*) AS streams FROM created) AS made
   WHERE locked.heads > 0
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT stored.stream, stored.version, stored.position
  FROM locked CROSS JOIN LATERAL (SELECT * FROM stored WHERE locked.heads > 0 OFFSET 0) AS stored
""")
)

_encode: Final = msgspec.json.Encoder().encode


def arguments(appends: Sequence[Append], slot: int, wake: bool = False) -> dict[str, Any]:
    """The parameters of `APPEND_BATCHED`. Names go in their order, so that rows are made and locked in it."""
    given = {a.stream: (in_range(a.expected), a.types[0], msgspec.Raw(a.data[0])) for a in appends}
    return {
        "new": sorted(a.stream for a in appends if a.expected == 0),
        "old": [a.stream for a in appends if a.expected],
        "given": _encode(given).decode(),
        "slot": slot,
        "wake": wake,
    }


async def append_batched(
    connection: asyncpg.Connection, appends: Sequence[Append], *, slot: int, wake: bool = False
) -> list[Appended | None]:
    """Make all appends in one statement; the streams must differ from each other.

    Returns after the commit, with each append's own outcome in their order; None where there may be a conflict.
    Fails as `append_all` does.
    """
    rows = await connection.fetch(APPEND_BATCHED.sql, *APPEND_BATCHED.arguments(arguments(appends, slot, wake)))
    stored = {stream: Appended(stream, version, Position(position)) for stream, version, position in rows}
    return [stored.get(append.stream) for append in appends]
