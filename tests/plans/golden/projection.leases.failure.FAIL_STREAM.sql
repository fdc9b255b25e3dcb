WITH failed AS (
  UPDATE streams 
  SET attempts = attempts + 1, error = $1, holder = NULL, leased_until = NULL,
      retry_at = clock_timestamp() + least(30, 0.1 * 2 ^ least(attempts, 20)) * interval '1 second',
      blocked_at = CASE WHEN attempts + 1 >= $2 ::int THEN clock_timestamp() END

   WHERE stream = $3 AND holder = $4 AND epoch = $5
  RETURNING blocked_at IS NOT NULL AS blocked
),

counted AS (
  UPDATE projectors SET leases_held = $6 ::int WHERE holder = $4
)
SELECT blocked FROM failed
