WITH held AS MATERIALIZED (
  SELECT s.stream
    FROM unnest($1 ::text[], $2 ::bigint[]) AS given(stream, epoch)
   CROSS JOIN LATERAL (
     SELECT stream FROM streams
      WHERE stream = given.stream AND holder = $3 AND epoch = given.epoch
        FOR UPDATE
   ) AS s
),
counted AS (
  UPDATE projectors SET leases_held = leases_held - (SELECT count(*) FROM held) WHERE holder = $3
)
UPDATE streams SET holder = NULL, leased_until = NULL WHERE stream = ANY (ARRAY(SELECT stream FROM held))
