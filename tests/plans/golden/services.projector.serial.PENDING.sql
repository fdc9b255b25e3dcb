SELECT EXISTS (
  SELECT FROM cursors c
   WHERE c.name = $1 AND c.blocked_at IS NULL
     AND EXISTS (SELECT FROM events e WHERE e.position > c.position OFFSET 0)
) AS pending
