"""Single append: one event at the end of one stream, without an idempotency key; the statement of a calm store.

One statement, one commit, with the guarantees of `eventstore.append.general`: all or nothing, locked, patient,
announced after the lock. A version conflict yields no row, nothing is written, and the general statement names it. It
takes a tenth less processor than a batch of one (ADR 0030).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.append.general import PATIENCE, Append, in_range
from eventstore.connection.statement import Statement
from eventstore.connection.wakeup import CARRY
from eventstore.events import Appended, Position

# What is stored is asked for from the head (LATERAL), so the head is locked before the insert announces itself.
APPEND_FIRST: Final = Statement(
    text(f"""
WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '{PATIENCE}', true), {CARRY}
),
head AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT :stream ::text, 1, clock_timestamp() FROM patience
  ON CONFLICT (stream) DO NOTHING
  RETURNING version
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT :stream ::text, version, :type ::text, :data ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, 1, 1 FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
""")
)

APPEND_NEXT: Final = Statement(
    text(f"""
WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '{PATIENCE}', true), {CARRY}
),
head AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = :stream ::text AND s.version = :expected ::int
  RETURNING s.version
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT :stream ::text, version, :type ::text, :data ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, 1, 0 FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
""")
)


async def append_single(
    connection: asyncpg.Connection, appends: Sequence[Append], *, slot: int, wake: bool = False
) -> list[Appended | None]:
    """Make one append of one event without a key; None where there may be a conflict. Fails as `append_all` does."""
    (append,) = appends
    values = {"stream": append.stream, "type": append.types[0], "data": append.data[0], "slot": slot, "wake": wake}
    statement = APPEND_FIRST
    if append.expected:
        statement = APPEND_NEXT
        values["expected"] = in_range(append.expected)
    row = await connection.fetchrow(statement.sql, *statement.arguments(values))
    return [row and Appended(append.stream, row["version"], Position(row["position"]))]
