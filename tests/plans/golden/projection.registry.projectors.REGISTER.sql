WITH forgotten AS (
  DELETE FROM projectors WHERE alive_until < clock_timestamp() - interval '1 hour' AND holder <> $1
)
INSERT INTO projectors (holder, mode, strategy, handler, read_models, started_at, seen_at, alive_until, sessions)
VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(),
        clock_timestamp() + $6 ::interval, 1)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, strategy = excluded.strategy,
  handler = excluded.handler, read_models = excluded.read_models,
  seen_at = excluded.seen_at, leases_held = 0, alive_until = excluded.alive_until,
  sessions = projectors.sessions + 1, waiting = NULL
