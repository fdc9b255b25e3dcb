WITH
clean AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, epoch, first, last, last_position, (last - first + 1)::bigint AS events, former
    FROM unnest($1 ::text[], $2 ::bigint[], $3 ::int[], $4 ::int[], $5 ::bigint[],
                $6 ::text[]) AS clean(stream, epoch, first, last, last_position, former)
),
place AS (SELECT),
troubled AS (SELECT FROM generate_series(1, $7 ::int)),
reach AS (
  SELECT $8 ::bigint AS leases, $9 ::bigint AS walked, $10 ::bigint AS duplicates,
         $11 ::bigint AS last
)
,
advanced AS (
  UPDATE streams s
     SET projected = clean.last, attempts = 0, retry_at = NULL, blocked_at = NULL, error = NULL,
         holder = NULL, leased_until = NULL,
         pending_since = CASE WHEN clean.last < s.version THEN coalesce(
           (SELECT e.recorded_at FROM events e WHERE e.stream = s.stream AND e.version = clean.last + 1),
           clock_timestamp()) END
    FROM clean
   WHERE s.stream BETWEEN clean.stream AND clean.stream
  RETURNING s.stream, clean.epoch, clean.first, clean.last, clean.last_position, clean.events, NULL AS former
),
audited AS (
  INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
  SELECT stream, first, last, last_position, $12, epoch, clock_timestamp() FROM advanced ORDER BY last_position
),
done AS (
  SELECT count(*) AS streams, coalesce(sum(events), 0)::bigint AS events, max(last_position) AS position,
         count(former) AS takeovers
    FROM advanced
)
,
tallied AS (
  INSERT INTO tallies (slot, projected, projected_position, projected_at)
  SELECT $13 ::smallint, events, position, clock_timestamp() FROM done WHERE events > 0
  ON CONFLICT (slot) DO UPDATE
     SET projected = tallies.projected + excluded.projected, projected_at = excluded.projected_at,
         projected_position = greatest(tallies.projected_position, excluded.projected_position)
),
counted AS (
  UPDATE projectors p
     SET batches = p.batches + 1, events_projected = p.events_projected + done.events, leases_held = (SELECT count(*) FROM place),
         duplicates = p.duplicates + CASE WHEN EXISTS (SELECT FROM troubled) THEN 0 ELSE reach.duplicates END
    FROM done, reach
   WHERE p.holder = $12
)
,
moved AS (
  UPDATE cursors c
     SET position = reach.last, attempts = 0, retry_at = NULL, error = NULL, stream = NULL, version = NULL,
         leased_until = clock_timestamp() + $14 ::interval
    FROM reach, place
   WHERE c.name = $15 AND reach.last IS NOT NULL AND NOT EXISTS (SELECT FROM troubled)
)
SELECT streams, events FROM done
