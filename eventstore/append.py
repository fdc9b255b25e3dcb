"""Append events, with an expected version, an idempotency key, and company.

One statement takes any number of appends to different streams and gives each its own outcome, in one round trip
and one commit. Inside, for every append:

* atomic: its events, the stream's head, the idempotency key and the tallies are written together or not at all;
* locked: the stream's row, from the check of the version to the commit; rows are locked in the order of their
  names, after new rows were made in that order, so two statements never wait for each other in a circle;
* a second caller with the same expected version waits for the first one's commit and gets a conflict;
* a key that was used before writes nothing and gives back the first result. Two first uses at the same moment
  violate `pk_idempotency_keys`: the whole statement is undone, and whoever runs it may run it again.

Positions are taken while the stream's row is locked, so within a stream they grow with the version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import text

from eventstore.database import Statement
from eventstore.errors import InvalidEvent, KeyReused, StoreError, VersionConflict
from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, Position

KEY_CONSTRAINT: Final = "pk_idempotency_keys"


@dataclass(frozen=True, slots=True)
class Append:
    """One append to make: some events at the end of a stream that is at version `expected`."""

    stream: str
    events: tuple[NewEvent, ...]
    expected: ExpectedVersion
    key: IdempotencyKey | None = None


APPEND: Final = Statement(
    text("""
WITH wanted AS MATERIALIZED (
  SELECT ord::int, stream COLLATE "C" AS stream, expected, n, key, fingerprint
    FROM unnest(:streams ::text[], :expected ::int[], :counts ::int[], :keys ::text[], :fingerprints ::text[])
         WITH ORDINALITY AS given(stream, expected, n, key, fingerprint, ord)
),
seen AS (
  SELECT wanted.ord, k.stream, k.version, k.fingerprint = wanted.fingerprint AS same
    FROM wanted JOIN idempotency_keys k ON k.key = wanted.key
),
fresh AS (
  SELECT * FROM wanted WHERE ord NOT IN (SELECT ord FROM seen)
),
created AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT stream, n, clock_timestamp() FROM fresh WHERE expected = 0 ORDER BY stream
  ON CONFLICT (stream) DO NOTHING
  RETURNING stream, version
),
locked AS MATERIALIZED (
  SELECT s.stream, s.version
    FROM (SELECT count(*) AS rows FROM created) AS first
    JOIN fresh ON fresh.expected > 0 AND first.rows >= 0
    JOIN streams s ON s.stream = fresh.stream
   ORDER BY s.stream
     FOR UPDATE OF s
),
moved AS (
  UPDATE streams s
     SET version = s.version + fresh.n, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM locked JOIN fresh ON fresh.stream = locked.stream AND fresh.expected = locked.version
   WHERE s.stream = locked.stream
  RETURNING s.stream, s.version
),
heads AS (
  SELECT stream, version FROM created UNION ALL SELECT stream, version FROM moved
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT fresh.stream, heads.version - fresh.n + part.nth, part.type, part.data::jsonb
    FROM unnest(:ords ::int[], :nths ::int[], :types ::text[], :data ::text[]) AS part(ord, nth, type, data)
    JOIN fresh ON fresh.ord = part.ord
    JOIN heads ON heads.stream = fresh.stream
   ORDER BY part.ord, part.nth
  RETURNING stream, position
),
remembered AS (
  INSERT INTO idempotency_keys (key, fingerprint, stream, version)
  SELECT fresh.key, fresh.fingerprint, fresh.stream, heads.version
    FROM fresh JOIN heads ON heads.stream = fresh.stream
   WHERE fresh.key IS NOT NULL
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT :slot ::smallint, written.events, made.streams
    FROM (SELECT count(*) AS events FROM stored) AS written, (SELECT count(*) AS streams FROM created) AS made
   WHERE written.events > 0
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
),
ends AS (
  SELECT stream, max(position) AS position FROM stored GROUP BY stream
)
SELECT CASE WHEN seen.same THEN 'replayed' WHEN NOT seen.same THEN 'key_reused'
            WHEN heads.version IS NOT NULL THEN 'appended' ELSE 'conflict' END AS outcome,
       coalesce(seen.stream, wanted.stream) AS stream,
       coalesce(seen.version, heads.version, locked.version, present.version) AS version,
       coalesce(earlier.position, ends.position) AS position
  FROM wanted
  LEFT JOIN seen ON seen.ord = wanted.ord
  LEFT JOIN heads ON heads.stream = wanted.stream AND seen.ord IS NULL
  LEFT JOIN ends ON ends.stream = heads.stream
  LEFT JOIN locked ON locked.stream = wanted.stream
  LEFT JOIN streams present ON present.stream = wanted.stream AND heads.stream IS NULL
  LEFT JOIN events earlier ON earlier.stream = seen.stream AND earlier.version = seen.version
 ORDER BY wanted.ord
""")
)

_encode: Final = msgspec.json.Encoder().encode


def refusal(append: Append) -> InvalidEvent | None:
    """Why the store can not hold this append, or None. Checked before company is taken along."""
    if not append.events:
        return InvalidEvent(f"an append to stream {append.stream!r} has no events")
    if "\x00" in append.stream or not append.stream:
        return InvalidEvent("a stream's name must not be empty or contain a NUL character")
    return None


def arguments(appends: Sequence[Append], slot: int) -> dict[str, Any]:
    """The parameters of `APPEND`. Raises InvalidEvent for data that is not JSON."""
    parts = [(ord, nth, event) for ord, a in enumerate(appends, 1) for nth, event in enumerate(a.events, 1)]
    return {
        "streams": [a.stream for a in appends],
        "expected": [a.expected for a in appends],
        "counts": [len(a.events) for a in appends],
        "keys": [a.key.key if a.key else None for a in appends],
        "fingerprints": [a.key.fingerprint if a.key else None for a in appends],
        "ords": [ord for ord, _, _ in parts],
        "nths": [nth for _, nth, _ in parts],
        "types": [event.type for _, _, event in parts],
        "data": [_json(event) for _, _, event in parts],
        "slot": slot,
    }


async def append_all(
    connection: asyncpg.Connection, appends: Sequence[Append], *, slot: int
) -> list[Appended | StoreError]:
    """Make all appends in one statement; the streams (and the keys) must differ from each other.

    Returns after the commit, with each append's own outcome in their order: Appended, VersionConflict or KeyReused.
    Raises InvalidEvent or the driver's error when nothing was written at all.
    """
    rows = await connection.fetch(APPEND.sql, *APPEND.arguments(arguments(appends, slot)))
    return [_outcome(append, row) for append, row in zip(appends, rows, strict=True)]


def _json(event: NewEvent) -> str:
    try:
        return _encode(event.data).decode()
    except (TypeError, ValueError) as error:
        raise InvalidEvent(f"the data of event {event.type!r} is not JSON: {error}") from error


def _outcome(append: Append, row: asyncpg.Record) -> Appended | StoreError:
    match row["outcome"]:
        case "conflict":
            return VersionConflict(append.stream, append.expected, row["version"])
        case "key_reused":
            return KeyReused(append.key.key if append.key else "", row["stream"])
        case outcome:
            return Appended(row["stream"], row["version"], Position(row["position"]), replayed=outcome == "replayed")
