WITH free AS MATERIALIZED (
  SELECT stream, holder AS former
    FROM streams
   WHERE pending_since IS NOT NULL AND blocked_at IS NULL
     AND (leased_until IS NULL OR leased_until <= coalesce($1 ::timestamptz, clock_timestamp()))
     AND (retry_at IS NULL OR retry_at <= coalesce($1 ::timestamptz, clock_timestamp()))
   ORDER BY pending_since
   LIMIT $2 ::int
     FOR UPDATE SKIP LOCKED
),
claimed AS (
  UPDATE streams s
     SET holder = $3, epoch = s.epoch + 1, leased_until = coalesce($1 ::timestamptz, clock_timestamp()) + $4 ::interval
   WHERE s.stream = ANY (ARRAY(SELECT stream FROM free))
  RETURNING s.stream, s.epoch, s.projected, s.version
),
counted AS (
  UPDATE projectors
     SET claims = claims + 1,
         leases_held = leases_held + n.claimed,
         takeovers = takeovers + n.taken_over,
         last_takeover_at = CASE WHEN n.taken_over > 0 THEN clock_timestamp() ELSE last_takeover_at END
    FROM (SELECT count(*) AS claimed, count(former) AS taken_over FROM free) AS n
   WHERE holder = $3 AND n.claimed > 0
)
SELECT stream, epoch, projected, version FROM claimed
