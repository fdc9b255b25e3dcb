"""The events that a batch looks at, and the rows that it locks for it: the first part of the statement (see `batch`).

Each window ends in relation `batch`: events with the reason why one can not be applied, or NULL, and the checkpoint
of their stream.
"""

from __future__ import annotations

from typing import Final

BUSY: Final = "somebody else has locked the stream"

# The shape of the plan must not hang on statistics: rows of tables are looked up one by one (LATERAL, not flattened
# because of FOR UPDATE and OFFSET 0), and sets of names are compared by hashing (NOT IN): the cost is linear.
PARALLEL_WINDOW: Final = """
given AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, epoch, upto
    FROM unnest(:streams ::text[], :epochs ::bigint[], :uptos ::int[]) AS given(stream, epoch, upto)
),
fenced AS MATERIALIZED (
  SELECT s.stream, s.projected, given.upto, given.epoch
    FROM given
   CROSS JOIN LATERAL (
     SELECT s.stream, s.projected FROM streams s WHERE s.stream = given.stream AND {fence} FOR UPDATE SKIP LOCKED
   ) AS s
),
busy AS (
  SELECT given.stream, given.epoch
    FROM given
   CROSS JOIN LATERAL (SELECT FROM streams s WHERE s.stream = given.stream AND {fence} OFFSET 0) AS s
   WHERE (SELECT count(*) FROM fenced) < (SELECT count(*) FROM given)
     AND given.stream NOT IN (SELECT stream FROM fenced)
),
batch AS (
  SELECT fenced.projected, fenced.epoch, e.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT e.*, {refusal} AS reason
       FROM events e
      WHERE e.stream = fenced.stream AND {unseen} AND e.version <= fenced.upto
     OFFSET 0
   ) AS e
)
"""

# Without a lease there is no earlier statement that saw the stream's events, so one whose next event is not visible yet
# is left alone: it is no hole.
DRAIN_WINDOW: Final = """
fenced AS MATERIALIZED (
  SELECT s.stream, s.projected, s.projected + :events ::int AS upto, s.epoch + 1 AS epoch, s.holder AS former
    FROM streams s
   WHERE {fence}
   ORDER BY pending_since
   LIMIT :limit ::int
     FOR UPDATE SKIP LOCKED
),
batch AS (
  SELECT fenced.projected, fenced.epoch, e.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT e.*, {refusal} AS reason
       FROM events e
      WHERE e.stream = fenced.stream AND {unseen} AND e.version <= fenced.upto
     OFFSET 0
   ) AS e
)
"""

SERIAL_WINDOW: Final = """
place AS MATERIALIZED (
  SELECT c.name, c.position, c.epoch
    FROM cursors c
   WHERE c.name = :name AND {fence}
     FOR UPDATE
),
walked AS MATERIALIZED (
  SELECT e.stream, e.version, e.position, place.epoch
    FROM place
   CROSS JOIN LATERAL (
     SELECT * FROM events WHERE {beyond} AND position <= :upto ORDER BY position LIMIT :limit
   ) AS e
),
spans AS MATERIALIZED (
  SELECT stream, epoch, min(version) AS first, max(version) AS last, min(position) AS position
    FROM walked GROUP BY stream, epoch ORDER BY stream
),
fenced AS MATERIALIZED (
  SELECT spans.*, s.projected,
         CASE WHEN s.projected IS NOT NULL THEN NULL
              WHEN EXISTS (SELECT FROM streams h WHERE h.stream = spans.stream) THEN '{busy}'
              ELSE 'the stream has events but no head' END AS absence
    FROM spans
    LEFT JOIN LATERAL (
      SELECT s.projected FROM streams s WHERE s.stream = spans.stream FOR UPDATE SKIP LOCKED
    ) AS s ON true
),
batch AS (
  SELECT coalesce(fenced.projected, 0) AS projected, fenced.epoch, e.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT e.*, coalesce(fenced.absence, {refusal}) AS reason
       FROM events e
      WHERE e.stream = fenced.stream AND e.version BETWEEN fenced.first AND fenced.last AND {unseen}
     OFFSET 0
   ) AS e
)
"""
