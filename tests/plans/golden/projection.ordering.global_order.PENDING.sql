SELECT c.position
  FROM cursors c
 WHERE c.name = $1 AND NOT (c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))
   AND EXISTS (SELECT FROM events e WHERE e.position > c.position OFFSET 0)
