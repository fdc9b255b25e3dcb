SELECT scope, stream, version, error, attempts FROM (
  SELECT 'projection' AS scope, c.stream, c.version, c.position, c.error, c.attempts, c.blocked_at
    FROM cursors c WHERE (c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))
  UNION ALL
  SELECT * FROM (
    SELECT 'stream', stream, projected + 1, NULL::bigint, error, attempts, blocked_at
      FROM streams WHERE blocked_at IS NOT NULL ORDER BY blocked_at LIMIT 10
  ) AS streams_blocked
) AS listed ORDER BY blocked_at
