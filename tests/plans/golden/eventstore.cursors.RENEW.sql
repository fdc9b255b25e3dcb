WITH free AS MATERIALIZED (
  SELECT name FROM cursors
   WHERE name = $1 AND holder = $2 AND epoch = $3 AND leased_until > coalesce($4 ::timestamptz, clock_timestamp())
     FOR UPDATE SKIP LOCKED
),
renewed AS (
  UPDATE cursors c SET leased_until = coalesce($4 ::timestamptz, clock_timestamp()) + $5 ::interval FROM free WHERE c.name = free.name
)
SELECT EXISTS (
  SELECT FROM cursors WHERE name = $1 AND holder = $2 AND epoch = $3 AND leased_until > coalesce($4 ::timestamptz, clock_timestamp())
) AS held
