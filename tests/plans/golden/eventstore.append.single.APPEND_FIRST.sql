WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '500ms', true), CASE WHEN $1 ::bool THEN pg_notify('tidemark_work', '') END
),
head AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT $2 ::text, 1, clock_timestamp() FROM patience
  ON CONFLICT (stream) DO NOTHING
  RETURNING version
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT $2 ::text, version, $3 ::text, $4 ::text::jsonb FROM head
  RETURNING version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT $5 ::smallint, 1, 1 FROM head
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT head.version, stored.position
  FROM head CROSS JOIN LATERAL (SELECT position FROM stored WHERE version = head.version OFFSET 0) AS stored
