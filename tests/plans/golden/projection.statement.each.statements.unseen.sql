SELECT e.position, e.stream, e.version, e.type, e.data, e.recorded_at
  FROM unnest($1 ::text[], $2 ::int[], $3 ::int[]) WITH ORDINALITY
       AS fenced(stream, projected, upto, n)
 CROSS JOIN LATERAL (
   SELECT * FROM events e WHERE e.stream = fenced.stream AND e.version > coalesce(fenced.projected, 0) AND e.version <= fenced.upto OFFSET 0
 ) AS e
 ORDER BY n, e.version
