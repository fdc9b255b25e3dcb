WITH patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', '500ms', true), CASE WHEN $1 ::bool THEN pg_notify('tidemark_work', '') END
),
created AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT stream, 1, clock_timestamp() FROM patience, unnest($2 ::text[]) AS stream
  ON CONFLICT (stream) DO NOTHING
  RETURNING stream, version
),
moved AS (
  UPDATE streams s
     SET version = s.version + 1, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM patience
   WHERE s.stream = ANY ($3 ::text[]) AND s.version = ($4 ::jsonb -> s.stream -> 0)::int
  RETURNING s.stream, s.version
),
heads AS MATERIALIZED (
  SELECT stream, version FROM created UNION ALL SELECT stream, version FROM moved
),
locked AS MATERIALIZED (
  SELECT count(*) AS heads FROM heads
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT heads.stream, heads.version, event.of ->> 1, event.of -> 2
    FROM heads CROSS JOIN LATERAL (SELECT $4 ::jsonb -> heads.stream AS of OFFSET 0) AS event
  RETURNING stream, version, position
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT $5 ::smallint, locked.heads, made.streams
    FROM locked, (SELECT count(*) AS streams FROM created) AS made
   WHERE locked.heads > 0
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT stored.stream, stored.version, stored.position
  FROM locked CROSS JOIN LATERAL (SELECT * FROM stored WHERE locked.heads > 0 OFFSET 0) AS stored
