WITH 
patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '500ms', true)
),
head AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = $1 ::text AND s.version = $2 ::int
  RETURNING s.version
),

stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT $1 ::text, version, $3 ::text, $4 ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT $5 ::smallint, 1, 0 FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
