"""Effect, audit and checkpoint of a batch: the second part of the statement (see `batch`).

Folded streams are judged; then come the effects of the read models, the checkpoint, the audit, the counters, and an
account of what was in trouble.
"""

from __future__ import annotations

from typing import Final

# A lease is only granted where the next event exists, so a leased stream without any event to apply has lost one.
LEASES_REACH: Final = """
reach AS (
  SELECT (SELECT count(*) FROM fenced) AS leases, 0::bigint AS walked, 0::bigint AS duplicates, NULL::bigint AS last
),
unfolded AS (
  SELECT stream, epoch, projected + 1 AS version, NULL AS reason
    FROM fenced WHERE stream NOT IN (SELECT stream FROM folded)
   UNION ALL
  SELECT stream, epoch, 0, '{busy}' FROM busy
)
"""

LOCKS_REACH: Final = """
reach AS (
  SELECT (SELECT count(*) FROM fenced) AS leases, 0::bigint AS walked, 0::bigint AS duplicates, NULL::bigint AS last
)
"""

LOCKS_COUNTED: Final = """leases_held = coalesce(:others ::int, 0), claims = p.claims + 1,
         takeovers = p.takeovers + done.takeovers,
         last_takeover_at = CASE WHEN done.takeovers > 0 THEN clock_timestamp() ELSE p.last_takeover_at END"""

ORDER_REACH: Final = """
reach AS (
  SELECT (SELECT count(*) FROM place) AS leases, walk.events AS walked,
         walk.events - (SELECT coalesce(sum(events), 0)::bigint FROM folded) AS duplicates, walk.last
    FROM walk
),
unfolded AS (
  SELECT stream, epoch, first AS version, absence AS reason FROM fenced WHERE absence IS NOT NULL
)
"""

ORDER_COUNTED: Final = """leases_held = (SELECT count(*) FROM place),
         duplicates = p.duplicates + CASE WHEN EXISTS (SELECT FROM troubled) THEN 0 ELSE reach.duplicates END"""

ORDER_SCOPE: Final = """NOT EXISTS (SELECT FROM judged WHERE NOT sound)
    AND NOT EXISTS (SELECT FROM fenced WHERE absence IS NOT NULL)"""
ORDER_WALKED: Final = "AND e.position > (SELECT position FROM place) AND e.position <= (SELECT last FROM walk)"

JUDGED: Final = """
judged AS (
  SELECT *, refused IS NULL AND {guard} AND {consistent} AS sound FROM folded
),
clean AS (
  SELECT judged.*, newest.*
    FROM judged
   CROSS JOIN LATERAL (
     SELECT {newest} FROM events e WHERE e.stream = judged.stream AND e.version = judged.last OFFSET 0
   ) AS newest
   WHERE sound AND {scope}
)
"""

# BETWEEN leaves the planner nothing but lookups by name: with = it could read a whole index in its order.
CHECKPOINT: Final = """
advanced AS (
  UPDATE streams s
     SET projected = clean.last, attempts = 0, retry_at = NULL, blocked_at = NULL, error = NULL,
         holder = NULL, leased_until = NULL,{epoch}
         pending_since = CASE WHEN clean.last < s.version THEN coalesce(
           (SELECT e.recorded_at FROM events e WHERE e.stream = s.stream AND e.version = clean.last + 1),
           clock_timestamp()) END
    FROM clean
   WHERE s.stream BETWEEN clean.stream AND clean.stream
  RETURNING s.stream, clean.epoch, clean.first, clean.last, clean.last_position, clean.events, {former} AS former
),
audited AS (
  INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
  SELECT stream, first, last, last_position, :holder, epoch, clock_timestamp() FROM advanced ORDER BY last_position
),
done AS (
  SELECT count(*) AS streams, coalesce(sum(events), 0)::bigint AS events, max(last_position) AS position,
         count(former) AS takeovers
    FROM advanced
)
"""

TROUBLED: Final = """
causes AS (
  SELECT stream, epoch,
         CASE WHEN refused IS NOT NULL THEN refused
              WHEN {guard} THEN {broken_at}
              ELSE coalesce((SELECT min(v) FROM generate_series(projected + 1, last) AS v WHERE NOT EXISTS (
                     SELECT FROM events e WHERE e.stream = judged.stream AND e.version = v {walked})), projected + 1)
         END AS version,
         CASE WHEN refused IS NOT NULL THEN
                (SELECT {refusal} FROM events e WHERE e.stream = judged.stream AND e.version = refused)
              WHEN {guard} THEN {broken_why} END AS reason
    FROM judged WHERE NOT sound
   UNION ALL
  SELECT stream, epoch, version, reason FROM unfolded
),
troubled AS (
  SELECT stream, epoch, version, coalesce(reason, 'events are missing after version ' || version - 1) AS reason,
         (SELECT min(e.position + 0) FROM events e
           WHERE e.stream = causes.stream AND e.version >= causes.version) AS position
    FROM causes
)
"""

COUNTED: Final = """
tallied AS (
  INSERT INTO tallies (slot, projected, projected_position, projected_at)
  SELECT :slot ::smallint, events, position, clock_timestamp() FROM done WHERE events > 0
  ON CONFLICT (slot) DO UPDATE
     SET projected = tallies.projected + excluded.projected, projected_at = excluded.projected_at,
         projected_position = greatest(tallies.projected_position, excluded.projected_position)
),
counted AS (
  UPDATE projectors p
     SET batches = p.batches + 1, events_projected = p.events_projected + done.events, {counted}
    FROM done, reach
   WHERE p.holder = :holder{counted_if}
)
"""

ORDER_CHECKPOINT: Final = """,
moved AS (
  UPDATE cursors c
     SET position = reach.last, attempts = 0, retry_at = NULL, error = NULL, stream = NULL, version = NULL,
         leased_until = clock_timestamp() + :ttl ::interval
    FROM reach, place
   WHERE c.name = :name AND reach.last IS NOT NULL AND NOT EXISTS (SELECT FROM troubled)
)
"""

OUTCOME: Final = """
SELECT reach.leases, reach.walked, reach.duplicates, done.streams, done.events, reach.last,
       {troubled} AS troubled,
       {unapplied} AS refused{told}
  FROM reach, done
"""
