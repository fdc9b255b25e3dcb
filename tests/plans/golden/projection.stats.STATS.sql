WITH counted AS (
  SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(streams), 0)::bigint AS streams,
         coalesce(sum(projected), 0)::bigint AS projected, coalesce(max(projected_position), 0) AS projected_position,
         max(projected_at) AS projected_at, coalesce(sum(drains), 0)::bigint AS drains
    FROM tallies
),
newest AS (
  SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1
),
recent AS (
  SELECT e.position, e.stream, e.version, e.type, e.recorded_at, a.projected_at, a.projector, a.epoch
    FROM (SELECT * FROM projection_audit ORDER BY id DESC LIMIT 10) AS a
   CROSS JOIN LATERAL (
     SELECT * FROM events
      WHERE stream = a.stream AND version BETWEEN a.from_version AND a.to_version
      ORDER BY version DESC LIMIT 10
   ) AS e
   ORDER BY a.id DESC, e.version DESC
   LIMIT 10
),
blocked AS (
SELECT 'projection' AS scope, c.stream, c.version, c.position, c.error, c.attempts, c.blocked_at
    FROM cursors c WHERE (c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))
  UNION ALL
  SELECT * FROM (
    SELECT 'stream', stream, projected + 1, NULL::bigint, error, attempts, blocked_at
      FROM streams WHERE blocked_at IS NOT NULL ORDER BY blocked_at LIMIT 10
  ) AS streams_blocked
),
known AS (
  SELECT holder, mode, strategy, handler, read_models, alive_until > clock_timestamp() AS alive, started_at, seen_at,
         CASE WHEN alive_until > clock_timestamp() THEN leases_held ELSE 0 END AS leases_held, claims, batches,
         events_projected, duplicates, takeovers, last_takeover_at, sessions, fenced, time_limits,
         listening AND alive_until > clock_timestamp() AS listening,
         connections_open, connections_used, connections_awaited, waiting
    FROM projectors
   ORDER BY alive_until DESC
   LIMIT 64
)
SELECT clock_timestamp() AS observed_at,
       counted.events, counted.streams, counted.projected, counted.projected_position, counted.projected_at,
       counted.drains, newest.position AS last_position, newest.recorded_at AS last_recorded_at,
       least(
         (SELECT min(pending_since) FROM streams WHERE pending_since IS NOT NULL AND blocked_at IS NULL),
         (SELECT min(pending_since) FROM streams WHERE blocked_at IS NOT NULL)
       ) AS pending_since,
       (SELECT count(*) FROM streams WHERE blocked_at IS NOT NULL) + (
  SELECT count(*) FROM cursors c
   WHERE (c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))
     AND NOT EXISTS (SELECT FROM streams s WHERE s.stream = c.stream AND s.blocked_at IS NOT NULL OFFSET 0)) AS blocked_streams,
       (SELECT coalesce(json_agg(recent), '[]') FROM recent) AS recent,
       (SELECT coalesce(json_agg(blocked), '[]') FROM blocked) AS blocked,
       (SELECT coalesce(json_agg(known), '[]') FROM known) AS projectors
  FROM counted LEFT JOIN newest ON true
