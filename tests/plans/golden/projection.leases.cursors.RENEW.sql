WITH free AS MATERIALIZED (
  SELECT leased_until FROM cursors
   WHERE name = $1 AND holder = $2 AND epoch = $3
     FOR UPDATE SKIP LOCKED
),
renewed AS (
  UPDATE cursors c SET leased_until = coalesce($4 ::timestamptz, clock_timestamp()) + $5 ::interval
    FROM free WHERE c.name = $1 AND free.leased_until > coalesce($4 ::timestamptz, clock_timestamp())
)
SELECT EXISTS (
  SELECT FROM cursors c
   WHERE name = $1 AND holder = $2 AND epoch = $3
     AND (leased_until > coalesce($4 ::timestamptz, clock_timestamp()) OR NOT EXISTS (SELECT FROM free))
) AS held
