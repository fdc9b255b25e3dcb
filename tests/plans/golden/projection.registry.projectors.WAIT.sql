INSERT INTO projectors (holder, mode, strategy, started_at, seen_at, alive_until, waiting)
VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp(), clock_timestamp() + $4 ::interval, $5)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, strategy = excluded.strategy,
  seen_at = excluded.seen_at, leases_held = 0, alive_until = excluded.alive_until, waiting = excluded.waiting
