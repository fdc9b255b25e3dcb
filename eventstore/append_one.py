"""Append one event, without a key and without company: the common case of a calm store, at half of the price.

The statement gives what `eventstore.append` gives for one append: one round trip, one commit, all or nothing, locked,
patient, announced after the lock. It does not name a conflict. Where it finds one it writes nothing, and the general
statement has the word.
"""

from __future__ import annotations

from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.append import PATIENCE, Append, append_all, in_range
from eventstore.errors import StoreError
from eventstore.events import Appended, Position
from eventstore.statement import Statement

# What is stored is asked for from each head (LATERAL), so the head is locked before the insert announces itself.
APPEND_ONE: Final = Statement(
    text(f"""
WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '{PATIENCE}', true)
),
created AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT :stream ::text, 1, clock_timestamp() FROM patience WHERE :expected ::int = 0
  ON CONFLICT (stream) DO NOTHING
  RETURNING version
),
moved AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = :stream ::text AND s.version = :expected ::int AND :expected ::int > 0
  RETURNING s.version
),
head AS (
  SELECT version, 1 AS streams FROM created UNION ALL SELECT version, 0 FROM moved
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT :stream ::text, version, :type ::text, :data ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, 1, streams FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
""")
)


def is_one(append: Append) -> bool:
    """Whether `append_one` can take the append."""
    return len(append.types) == 1 and append.key is None


async def append_one(connection: asyncpg.Connection, append: Append, *, slot: int) -> Appended | StoreError:
    """Make an append of one event without a key. Ends, and fails, as `append_all` does with this append alone."""
    values = {
        "stream": append.stream,
        "expected": in_range(append.expected),
        "type": append.types[0],
        "data": append.data[0],
        "slot": slot,
    }
    row = await connection.fetchrow(APPEND_ONE.sql, *APPEND_ONE.arguments(values))
    if row is not None:
        return Appended(append.stream, row["version"], Position(row["position"]))
    (outcome,) = await append_all(connection, [append], slot=slot)
    return outcome
