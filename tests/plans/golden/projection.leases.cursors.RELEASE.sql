WITH released AS (
  UPDATE cursors SET holder = NULL, leased_until = NULL
   WHERE name = $1 AND holder = $2 AND epoch = $3
)
UPDATE projectors SET leases_held = 0 WHERE holder = $2
