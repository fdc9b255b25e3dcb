WITH wanted AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, expected, n, key, fingerprint
    FROM (SELECT set_config('lock_timeout', '500ms', true), CASE WHEN $1 ::bool THEN pg_notify('tidemark_work', '') END) AS patience,
         unnest($2 ::text[], $3 ::int[], $4 ::int[], $5 ::text[], $6 ::text[])
         AS given(stream, expected, n, key, fingerprint)
),
seen AS MATERIALIZED (
  SELECT wanted.stream AS asked, k.stream, k.version, k.fingerprint = wanted.fingerprint AS same
    FROM wanted CROSS JOIN LATERAL (SELECT * FROM idempotency_keys WHERE key = wanted.key OFFSET 0) AS k
   WHERE wanted.key IS NOT NULL
),
fresh AS MATERIALIZED (
  SELECT * FROM wanted WHERE stream NOT IN (SELECT asked FROM seen) ORDER BY stream
),
created AS (
  INSERT INTO streams (stream, version, pending_since)
  SELECT stream, n, clock_timestamp() FROM fresh WHERE expected = 0
  ON CONFLICT (stream) DO NOTHING
  RETURNING stream, version
),
locked AS MATERIALIZED (
  SELECT s.stream, s.version, fresh.expected, fresh.n
    FROM (SELECT count(*) AS rows FROM created) AS first
    JOIN fresh ON fresh.expected > 0 AND first.rows >= 0
   CROSS JOIN LATERAL (SELECT stream, version FROM streams WHERE stream = fresh.stream FOR UPDATE) AS s
),
moved AS (
  UPDATE streams s
     SET version = s.version + locked.n, pending_since = coalesce(s.pending_since, clock_timestamp())
    FROM locked
   WHERE s.stream BETWEEN locked.stream AND locked.stream AND locked.version = locked.expected
  RETURNING s.stream, s.version
),
heads AS MATERIALIZED (
  SELECT stream FROM created UNION ALL SELECT stream FROM moved
),
stored AS (
  INSERT INTO events (stream, version, type, data)
  SELECT stream, version, type, data::jsonb
    FROM unnest($7 ::text[], $8 ::int[], $9 ::text[], $10 ::text[])
         AS part(stream, version, type, data)
   WHERE (stream COLLATE "C" IN (SELECT stream FROM heads)) IS TRUE
  RETURNING stream, version, position
),
remembered AS (
  INSERT INTO idempotency_keys (key, fingerprint, stream, version)
  SELECT key, fingerprint, stream, expected + n
    FROM fresh
   WHERE key IS NOT NULL AND (stream IN (SELECT stream FROM heads)) IS TRUE
   ORDER BY key
),
tallied AS (
  INSERT INTO tallies (slot, events, streams)
  SELECT $11 ::smallint, written.events, made.streams
    FROM (SELECT count(*) AS events FROM stored) AS written, (SELECT count(*) AS streams FROM created) AS made
   WHERE written.events > 0
  ON CONFLICT (slot) DO UPDATE
     SET events = tallies.events + excluded.events, streams = tallies.streams + excluded.streams
)
SELECT 'conflict' AS outcome, stream AS asked, stream, version, NULL::bigint AS position
  FROM locked WHERE version <> expected
 UNION ALL
SELECT 'conflict', s.stream, s.stream, s.version, NULL
  FROM fresh CROSS JOIN LATERAL (SELECT stream, version FROM streams WHERE stream = fresh.stream OFFSET 0) AS s
 WHERE fresh.expected = 0
 UNION ALL
SELECT 'appended', stream, stream, max(version), max(position) FROM stored GROUP BY stream
 UNION ALL
SELECT CASE WHEN seen.same THEN 'replayed' ELSE 'key_reused' END, seen.asked, seen.stream, seen.version, e.position
  FROM seen CROSS JOIN LATERAL (
    SELECT position FROM events WHERE stream = seen.stream AND version = seen.version OFFSET 0
  ) AS e
