"""General append: optimistic concurrency by expected version, idempotency keys, many streams in one statement.

One statement takes any number of appends to different streams and gives each its own outcome, in one round trip
and one commit. Inside, for every append:

* atomic: its events, the stream's head, the idempotency key and the tallies are written together or not at all;
* locked: the stream's row, from the check of the version to the commit; rows are locked in the order of their
  names, after new rows were made in that order, and keys are entered last, in their order: two statements never wait
  for each other in a circle;
* patient: a row that another transaction holds is waited for `PATIENCE`; then nothing at all is written, and whoever
  runs the statement may run it again in smaller parts, so that one stuck writer holds up nobody else;
* announced: the announcement that holds back readers of the global order (`eventstore.visibility.safe_position`) comes
  after all rows are locked, so an append that waits for a row holds back nobody;
* a second caller with the same expected version waits for the first one's commit and gets a conflict;
* a key that was used before writes nothing and gives back the first result. Two first uses at the same moment
  violate `pk_idempotency_keys`: the whole statement is undone, and whoever runs it may run it again.

Positions are taken while the stream's row is locked, so within a stream they grow with the version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import asyncpg
from sqlalchemy import text

from eventstore.append.validation import checked
from eventstore.connection.statement import Statement
from eventstore.connection.wakeup import CARRY
from eventstore.errors import KeyReused, StoreError, VersionConflict
from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, Position

KEY_CONSTRAINT: Final = "pk_idempotency_keys"

PATIENCE: Final = "500ms"
"""How long a statement waits for a row that another transaction has locked."""

_NEVER: Final = 2**30
"""A version that no stream reaches, in place of one that is out of the database's range."""


@dataclass(frozen=True, slots=True)
class Append:
    """One append to make: events, of which the data is JSON text, at the end of a stream at version `expected`."""

    stream: str
    types: tuple[str, ...]
    data: tuple[str, ...]
    expected: ExpectedVersion
    key: IdempotencyKey | None = None

    @classmethod
    def of(
        cls, stream: str, events: Sequence[NewEvent], expected: ExpectedVersion, key: IdempotencyKey | None = None
    ) -> Self:
        """Check and encode. Raises InvalidEvent before anything else is touched."""
        data = checked(stream, events, key)
        return cls(stream, tuple(event.type for event in events), data, expected, key)

    @property
    def lean(self) -> bool:
        """One event, and no key."""
        return len(self.types) == 1 and self.key is None


def in_range(expected: int) -> int:
    """The version, as far as the database can know it."""
    return expected if 0 <= expected < _NEVER else _NEVER


# The shape of the plan must not hang on statistics, which are missing just when a store is new, or say that it is
# empty. So rows of tables are looked up one by one (LATERAL; BETWEEN, as with = the planner may read the whole index in
# its order), and sets of names are compared by hashing (IN … IS TRUE): the cost is linear.
APPEND: Final = Statement(
    text(f"""
WITH wanted AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, expected, n, key, fingerprint
    FROM (SELECT set_config('lock_timeout', '{PATIENCE}', true), {CARRY}) AS patience,
         unnest(:streams ::text[], :expected ::int[], :counts ::int[], :keys ::text[], :fingerprints ::text[])
         AS given(stream, expected, n, key, fingerprint)
),
seen AS MATERIALIZED (
  SELECT wanted.stream AS asked, k.stream, k.version, k.fingerprint = wanted.fingerprint AS same
    FROM wanted CROSS JOIN LATERAL (SELECT * FROM idempotency_keys WHERE key = wanted.key OFFSET 0) AS k
   WHERE wanted.key IS NOT NULL
),
fresh AS MATERIALIZED (
  SELECT * FROM wanted WHERE stream NOT IN (SELECT asked FROM seen) ORDER BY stream
),
created AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT stream, n, clock_timestamp() FROM fresh WHERE expected = 0
  ON CONFLICT (stream) DO NOTHING
  RETURNING stream, version
),
locked AS MATERIALIZED (
  SELECT s.stream, s.version, fresh.expected, fresh.n
    FROM (SELECT count(*) AS rows FROM created) AS first
    JOIN fresh ON fresh.expected > 0 AND first.rows >= 0
   CROSS JOIN LATERAL (SELECT stream, version FROM streams WHERE stream = fresh.stream FOR UPDATE) AS s
),
moved AS (
  UPDATE streams s
     SET version = s.version + locked.n, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM locked
   WHERE s.stream BETWEEN locked.stream AND locked.stream AND locked.version = locked.expected
  RETURNING s.stream, s.version
),
heads AS MATERIALIZED (
  SELECT stream FROM created UNION ALL SELECT stream FROM moved
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT stream, version, type, data::jsonb
    FROM unnest(:event_streams ::text[], :versions ::int[], :types ::text[], :data ::text[])
         AS part(stream, version, type, data)
   WHERE (stream COLLATE "C" IN (SELECT stream FROM heads)) IS TRUE
  RETURNING stream, version, position
),
remembered AS (
  INSERT INTO idempotency_keys (key, fingerprint, stream, version)
  SELECT key, fingerprint, stream, expected + n
    FROM fresh
   WHERE key IS NOT NULL AND (stream IN (SELECT stream FROM heads)) IS TRUE
   ORDER BY key
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, written.events, made.streams
    FROM (SELECT count(*) AS events FROM stored) AS written, (SELECT count(*) AS streams FROM created) AS made
   WHERE written.events > 0
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT 'conflict' AS outcome, stream AS asked, stream, version, NULL::bigint AS position
  FROM locked WHERE version <> expected
 UNION ALL
SELECT 'conflict', s.stream, s.stream, s.version, NULL
  FROM fresh CROSS JOIN LATERAL (SELECT stream, version FROM streams WHERE stream = fresh.stream OFFSET 0) AS s
 WHERE fresh.expected = 0
 UNION ALL
SELECT 'appended', stream, stream, max(version), max(position) FROM stored GROUP BY stream
 UNION ALL
SELECT CASE WHEN seen.same THEN 'replayed' ELSE 'key_reused' END, seen.asked, seen.stream, seen.version, e.position
  FROM seen CROSS JOIN LATERAL (
    SELECT position FROM events WHERE stream = seen.stream AND version = seen.version OFFSET 0
  ) AS e
""")
)


def arguments(appends: Sequence[Append], slot: int, wake: bool = False) -> dict[str, Any]:
    """The parameters of `APPEND`."""
    expected = [in_range(a.expected) for a in appends]
    versions = [range(first + 1, first + 1 + len(a.data)) for a, first in zip(appends, expected, strict=True)]
    return {
        "streams": [a.stream for a in appends],
        "expected": expected,
        "counts": [len(a.data) for a in appends],
        "keys": [a.key.key if a.key else None for a in appends],
        "fingerprints": [a.key.fingerprint if a.key else None for a in appends],
        "event_streams": [a.stream for a in appends for _ in a.data],
        "versions": [version for part in versions for version in part],
        "types": [type for a in appends for type in a.types],
        "data": [data for a in appends for data in a.data],
        "slot": slot,
        "wake": wake,
    }


async def append_all(
    connection: asyncpg.Connection, appends: Sequence[Append], *, slot: int, wake: bool = False
) -> list[Appended | StoreError]:
    """Make all appends in one statement; the streams (and the keys) must differ from each other.

    Returns after the commit, with each append's own outcome in their order: Appended, VersionConflict or KeyReused.
    Raises the driver's errors: an error that Postgres answered with means that nothing was written at all.
    """
    rows = await connection.fetch(APPEND.sql, *APPEND.arguments(arguments(appends, slot, wake)))
    answers = {row["asked"]: row for row in rows}
    return [_outcome(append, answers.get(append.stream)) for append in appends]


def _outcome(append: Append, row: asyncpg.Record | None) -> Appended | StoreError:
    if row is None:
        # The stream does not exist, or was created by somebody else while this statement ran.
        return VersionConflict(append.stream, append.expected, None if append.expected == 0 else 0)
    match row["outcome"]:
        case "conflict":
            return VersionConflict(append.stream, append.expected, row["version"])
        case "key_reused":
            return KeyReused(append.key.key if append.key else "", row["stream"])
        case outcome:
            return Appended(row["stream"], row["version"], Position(row["position"]), replayed=outcome == "replayed")
