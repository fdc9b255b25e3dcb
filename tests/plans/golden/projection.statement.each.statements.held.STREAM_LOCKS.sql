WITH
fenced AS MATERIALIZED (
  SELECT s.stream, s.projected, s.projected + $1 ::int AS upto, s.epoch + 1 AS epoch, s.holder AS former
    FROM streams s
   WHERE pending_since IS NOT NULL AND blocked_at IS NULL
     AND (leased_until IS NULL OR leased_until <= clock_timestamp())
     AND (retry_at IS NULL OR retry_at <= clock_timestamp())
   ORDER BY pending_since
   LIMIT $2 ::int
     FOR UPDATE SKIP LOCKED
)
SELECT stream, epoch, projected, upto, former, false AS busy,
       (SELECT h.version + 0 FROM streams h WHERE h.stream = fenced.stream) AS version
  FROM fenced
