"""Append one event, without a key and without company: the common case of a calm store, at half of the price.

The statements, one for a new stream and one for a known one, give what `eventstore.append.statement` gives for one
append: one round trip, one commit, all or nothing, locked, patient, announced after the lock. They do not name a
conflict. Where one finds one it writes nothing, and the general statement has the word.
"""

from __future__ import annotations

from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.append.statement import PATIENCE, Append, in_range
from eventstore.connection.statement import Statement
from eventstore.connection.wakeup import CARRY
from eventstore.events import Appended, Position

_PATIENCE: Final = f"""
patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '{PATIENCE}', true), {CARRY}
)"""

# What is stored is asked for from the head (LATERAL), so the head is locked before the insert announces itself.
_STORED: Final = """
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT :stream ::text, version, :type ::text, :data ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, 1, {streams} FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
"""

APPEND_FIRST: Final = Statement(
    text(f"""
WITH {_PATIENCE},
head AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT :stream ::text, 1, clock_timestamp() FROM patience
  ON CONFLICT (stream) DO NOTHING
  RETURNING version
),
{_STORED.format(streams=1)}
""")
)

APPEND_NEXT: Final = Statement(
    text(f"""
WITH {_PATIENCE},
head AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = :stream ::text AND s.version = :expected ::int
  RETURNING s.version
),
{_STORED.format(streams=0)}
""")
)


async def append_one(
    connection: asyncpg.Connection, append: Append, *, slot: int, wake: bool = False
) -> Appended | None:
    """Make an append of one event without a key; None where there may be a conflict. Fails as `append_all` does."""
    values = {"stream": append.stream, "type": append.types[0], "data": append.data[0], "slot": slot, "wake": wake}
    statement = APPEND_FIRST
    if append.expected:
        statement = APPEND_NEXT
        values["expected"] = in_range(append.expected)
    row = await connection.fetchrow(statement.sql, *statement.arguments(values))
    return row and Appended(append.stream, row["version"], Position(row["position"]))
