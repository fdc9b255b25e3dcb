"""Window of a batch: the events that it looks at and the rows that it locks, the first part of it (see `batch`).

Each window ends in relation `folded`: streams with their checkpoint (`projected`), the lease's epoch, and what the
checkpoint has not seen of their events, as aggregates (`AGGREGATES`).
"""

from __future__ import annotations

from typing import Final

BUSY: Final = "somebody else has locked the stream"

AGGREGATES: Final = """count(*) AS events, min(e.version) AS first, max(e.version) AS last,
         max(e.position) AS last_position, min(e.version) FILTER (WHERE {refusal} IS NOT NULL) AS refused{fold}"""
"""Some events `e` of one stream; `refused` is the first version that can not be applied."""

# The shape of the plan must not hang on statistics: rows of tables are looked up one by one (LATERAL, not flattened
# because of FOR UPDATE, OFFSET 0 and HAVING), and sets of names are compared by hashing (NOT IN): the cost is linear.
_LEASES_FENCED: Final = """
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
)"""
LEASES_WINDOW: Final = f"""{_LEASES_FENCED},
folded AS MATERIALIZED (
  SELECT fenced.stream, fenced.epoch, fenced.projected, f.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT {{aggregates}}
       FROM events e
      WHERE e.stream = fenced.stream AND {{unseen}} AND e.version <= fenced.upto
     HAVING count(*) > 0
   ) AS f
)
"""
LEASES_HELD: Final = f"""{_LEASES_FENCED}
SELECT stream, epoch, projected, upto, NULL AS former, false AS busy FROM fenced
 UNION ALL
SELECT stream, epoch, 0, 0, NULL, true FROM busy
"""
"""For a handler of single events: what is locked now, and what somebody else has locked."""

# Without a lease there is no earlier statement that saw the stream's events, so one whose next event is not visible yet
# is left alone: it is no hole.
_LOCKS_FENCED: Final = """
fenced AS MATERIALIZED (
  SELECT s.stream, s.projected, s.projected + :events ::int AS upto, s.epoch + 1 AS epoch, s.holder AS former
    FROM streams s
   WHERE {fence}
   ORDER BY pending_since
   LIMIT :limit ::int
     FOR UPDATE SKIP LOCKED
)"""
LOCKS_WINDOW: Final = f"""{_LOCKS_FENCED},
folded AS MATERIALIZED (
  SELECT fenced.stream, fenced.epoch, fenced.projected, fenced.former, f.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT {{aggregates}}
       FROM events e
      WHERE e.stream = fenced.stream AND {{unseen}} AND e.version <= fenced.upto
     HAVING count(*) > 0
   ) AS f
)
"""
LOCKS_HELD: Final = f"""{_LOCKS_FENCED}
SELECT stream, epoch, projected, upto, former, false AS busy,
       (SELECT h.version + 0 FROM streams h WHERE h.stream = fenced.stream) AS version
  FROM fenced
"""
"""For a handler of single events; `version` is the stream's, or was a moment ago."""

# Each event is read once, along the global order. Only where the checkpoint stands within a stream's part of the walk,
# as after a change of mode, the rest of that part is read again. Nothing outside of the walk is looked at: a version
# whose position lies elsewhere is missing here.
_PLACE: Final = """
place AS MATERIALIZED (
  SELECT c.position, c.epoch
    FROM cursors c
   WHERE c.name = :name AND {fence}
     FOR UPDATE
)"""
_ABSENCE: Final = """CASE WHEN s.projected IS NOT NULL THEN NULL
              WHEN EXISTS (SELECT FROM streams h WHERE h.stream = spans.stream) THEN '{busy}'
              ELSE 'the stream has events but no head' END AS absence
    FROM spans
    LEFT JOIN LATERAL (
      SELECT s.projected FROM streams s WHERE s.stream = spans.stream FOR UPDATE SKIP LOCKED
    ) AS s ON true
)"""
ORDER_WINDOW: Final = (
    _PLACE
    + """,
spans AS MATERIALIZED (
  SELECT e.stream, place.epoch, {aggregates}
    FROM place
   CROSS JOIN LATERAL (
     SELECT * FROM events WHERE {beyond} AND position <= :upto ORDER BY position LIMIT :limit
   ) AS e
   GROUP BY e.stream, place.epoch ORDER BY e.stream
),
walk AS MATERIALIZED (
  SELECT coalesce(sum(events), 0)::bigint AS events, max(last_position) AS last FROM spans
),
fenced AS MATERIALIZED (
  SELECT spans.*, s.projected,
         """
    + _ABSENCE
    + """,
folded AS MATERIALIZED (
  SELECT fenced.* FROM fenced WHERE {fresh}
   UNION ALL
  SELECT fenced.stream, fenced.epoch, f.*, fenced.projected, fenced.absence
    FROM fenced
   CROSS JOIN place
   CROSS JOIN walk
   CROSS JOIN LATERAL (
     SELECT {aggregates}
       FROM events e
      WHERE e.stream = fenced.stream AND {unseen} AND e.version <= fenced.last
        AND {beyond} AND position <= walk.last
     HAVING count(*) > 0
   ) AS f
   WHERE NOT {fresh}
)
"""
)
ORDER_HELD: Final = (
    _PLACE
    + """,
walked AS MATERIALIZED (
  SELECT e.*, place.epoch
    FROM place
   CROSS JOIN LATERAL (
     SELECT * FROM events WHERE {beyond} AND position <= :upto ORDER BY position LIMIT :limit
   ) AS e
),
spans AS MATERIALIZED (
  SELECT stream FROM walked GROUP BY stream ORDER BY stream
),
fenced AS MATERIALIZED (
  SELECT spans.stream, s.projected,
         """
    + _ABSENCE
    + """
SELECT e.position, e.stream, e.version, e.type, e.data, e.recorded_at, e.epoch, fenced.projected, fenced.absence,
       {unseen} AS unseen
  FROM place
  LEFT JOIN walked e ON true
  LEFT JOIN fenced ON fenced.stream = e.stream
 ORDER BY e.position
"""
)
"""For a handler of single events: the events themselves, one row without any where there are none."""
