SELECT count(*) AS events, max(e.position) AS last,
       count(*) FILTER (WHERE e.version > coalesce(s.projected, 0)) AS unprojected
  FROM (
    SELECT position, stream, version FROM events
     WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
  ) AS e
  LEFT JOIN LATERAL (SELECT projected FROM streams WHERE stream = e.stream OFFSET 0) AS s ON true
