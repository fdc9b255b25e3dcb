WITH
place AS MATERIALIZED (
  SELECT c.position, c.epoch
    FROM cursors c
   WHERE c.name = $1 AND c.holder = $2 AND c.epoch = $3 AND c.leased_until > clock_timestamp()
     FOR UPDATE
),
walked AS MATERIALIZED (
  SELECT e.*, place.epoch
    FROM place
   CROSS JOIN LATERAL (
     SELECT * FROM events WHERE position > place.position AND position <= $4 ORDER BY position LIMIT $5
   ) AS e
),
spans AS MATERIALIZED (
  SELECT stream FROM walked GROUP BY stream ORDER BY stream
),
fenced AS MATERIALIZED (
  SELECT spans.stream, s.projected,
         CASE WHEN s.projected IS NOT NULL THEN NULL
              WHEN EXISTS (SELECT FROM streams h WHERE h.stream = spans.stream) THEN 'somebody else has locked the stream'
              ELSE 'the stream has events but no head' END AS absence
    FROM spans
    LEFT JOIN LATERAL (
      SELECT s.projected FROM streams s WHERE s.stream = spans.stream FOR UPDATE SKIP LOCKED
    ) AS s ON true
)
SELECT e.position, e.stream, e.version, e.type, e.data, e.recorded_at, e.epoch, fenced.projected, fenced.absence,
       e.version > coalesce(fenced.projected, 0) AS unseen
  FROM place
  LEFT JOIN walked e ON true
  LEFT JOIN fenced ON fenced.stream = e.stream
 ORDER BY e.position
