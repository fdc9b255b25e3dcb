INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until, waiting)
VALUES ($1, $2, clock_timestamp(), clock_timestamp(), clock_timestamp() + $3 ::interval, $4)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, seen_at = excluded.seen_at, leases_held = 0,
  alive_until = excluded.alive_until, waiting = excluded.waiting
