WITH free AS MATERIALIZED (
  SELECT holder AS former
    FROM cursors c
   WHERE name = $1 AND NOT (c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))
     AND (leased_until IS NULL OR leased_until <= coalesce($2 ::timestamptz, clock_timestamp()))
     AND (retry_at IS NULL OR retry_at <= coalesce($2 ::timestamptz, clock_timestamp()))
     FOR UPDATE SKIP LOCKED
),
claimed AS (
  UPDATE cursors c
     SET holder = $3, epoch = c.epoch + 1, leased_until = coalesce($2 ::timestamptz, clock_timestamp()) + $4 ::interval,
         attempts = CASE WHEN c.blocked_at IS NULL THEN c.attempts ELSE 0 END, blocked_at = NULL
    FROM free
   WHERE c.name = $1
  RETURNING c.epoch, c.position
),
counted AS (
  UPDATE projectors
     SET claims = claims + 1, leases_held = 1,
         takeovers = takeovers + n.taken_over,
         last_takeover_at = CASE WHEN n.taken_over > 0 THEN clock_timestamp() ELSE last_takeover_at END
    FROM (SELECT count(*) AS claimed, count(former) AS taken_over FROM free) AS n
   WHERE holder = $3 AND n.claimed > 0
)
SELECT epoch, position FROM claimed
