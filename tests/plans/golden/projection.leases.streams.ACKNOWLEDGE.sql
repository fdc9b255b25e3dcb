WITH fenced AS MATERIALIZED (
  SELECT stream, projected
    FROM streams
   WHERE stream = $1 AND holder = $2 AND epoch = $3 AND leased_until > coalesce($4 ::timestamptz, clock_timestamp())
     FOR UPDATE
),
moved AS (
  UPDATE streams s
     SET projected = $5 ::int, holder = NULL, leased_until = NULL,
         pending_since = CASE WHEN s.version > $5 THEN coalesce(
           (SELECT e.recorded_at FROM events e WHERE e.stream = s.stream AND e.version = $5 + 1),
           clock_timestamp()) END
    FROM fenced
   WHERE s.stream = $1
  RETURNING s.stream, $5 - fenced.projected AS events
),
tallied AS (
  INSERT INTO tallies (slot, projected) SELECT $6 ::smallint, events FROM moved
  ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + excluded.projected
),
counted AS (
  UPDATE projectors SET leases_held = leases_held - 1 WHERE holder = $2 AND EXISTS (SELECT FROM moved)
)
SELECT stream FROM moved
