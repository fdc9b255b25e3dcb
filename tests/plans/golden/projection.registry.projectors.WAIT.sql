INSERT INTO projectors (holder, mode, strategy, handler, read_models, started_at, seen_at, alive_until, waiting)
VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(),
        clock_timestamp() + $6 ::interval, $7)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, strategy = excluded.strategy,
  handler = excluded.handler, read_models = excluded.read_models,
  seen_at = excluded.seen_at, leases_held = 0, alive_until = excluded.alive_until, waiting = excluded.waiting
