WITH failed AS (
  UPDATE cursors 
  SET attempts = attempts + 1, error = $1, holder = NULL, leased_until = NULL,
      retry_at = clock_timestamp() + least(30, 0.1 * 2 ^ least(attempts, 20)) * interval '1 second',
      blocked_at = CASE WHEN attempts + 1 >= $2 ::int THEN clock_timestamp() END
, stream = $3, version = $4 ::int
   WHERE name = $5 AND holder = $6 AND epoch = $7
  RETURNING blocked_at IS NOT NULL AS blocked
),

counted AS (
  UPDATE projectors SET leases_held = $8 ::int WHERE holder = $6
)
SELECT blocked FROM failed
