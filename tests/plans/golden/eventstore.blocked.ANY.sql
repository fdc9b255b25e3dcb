SELECT EXISTS (SELECT FROM streams WHERE blocked_at IS NOT NULL)
    OR EXISTS (SELECT FROM cursors c WHERE (c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))) AS blocked
