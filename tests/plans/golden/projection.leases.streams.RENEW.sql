WITH held AS MATERIALIZED (
  SELECT s.stream
    FROM unnest($1 ::text[], $2 ::bigint[]) AS given(stream, epoch)
   CROSS JOIN LATERAL (
     SELECT stream FROM streams
      WHERE stream = given.stream AND holder = $3 AND epoch = given.epoch AND leased_until > coalesce($4 ::timestamptz, clock_timestamp())
        FOR UPDATE SKIP LOCKED
   ) AS s
)
UPDATE streams SET leased_until = coalesce($4 ::timestamptz, clock_timestamp()) + $5 ::interval
 WHERE stream = ANY (ARRAY(SELECT stream FROM held))
RETURNING stream
