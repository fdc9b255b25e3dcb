WITH
given AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, epoch, upto
    FROM unnest($1 ::text[], $2 ::bigint[], $3 ::int[]) AS given(stream, epoch, upto)
),
fenced AS MATERIALIZED (
  SELECT s.stream, s.projected, given.upto, given.epoch
    FROM given
   CROSS JOIN LATERAL (
     SELECT s.stream, s.projected FROM streams s WHERE s.stream = given.stream AND s.holder = $4 AND s.epoch = given.epoch AND s.leased_until > clock_timestamp() FOR UPDATE SKIP LOCKED
   ) AS s
),
busy AS (
  SELECT given.stream, given.epoch
    FROM given
   CROSS JOIN LATERAL (SELECT FROM streams s WHERE s.stream = given.stream AND s.holder = $4 AND s.epoch = given.epoch AND s.leased_until > clock_timestamp() OFFSET 0) AS s
   WHERE (SELECT count(*) FROM fenced) < (SELECT count(*) FROM given)
     AND given.stream NOT IN (SELECT stream FROM fenced)
)
SELECT stream, epoch, projected, upto, NULL AS former, false AS busy FROM fenced
 UNION ALL
SELECT stream, epoch, 0, 0, NULL, true FROM busy
