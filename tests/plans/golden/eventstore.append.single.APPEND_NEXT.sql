WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '500ms', true), CASE WHEN $1 ::bool THEN pg_notify('tidemark_work', '') END
),
head AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = $2 ::text AND s.version = $3 ::int
  RETURNING s.version
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT $2 ::text, version, $4 ::text, $5 ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT $6 ::smallint, 1, 0 FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
