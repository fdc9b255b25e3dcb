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
),
folded AS MATERIALIZED (
  SELECT fenced.stream, fenced.epoch, fenced.projected, f.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT count(*) AS events, min(e.version) AS first, max(e.version) AS last,
         max(e.position) AS last_position, min(e.version) FILTER (WHERE 
CASE WHEN (e.version = 1) <> (e.type = 'TodoCreated') THEN e.type || ' can not be event number ' || e.version
     WHEN e.type IN ('TodoCreated', 'TodoUpdated') THEN
       CASE WHEN jsonb_typeof(e.data -> 'text') IS DISTINCT FROM 'string' THEN e.type || ' has no text' END
     WHEN e.type <> 'TodoDeleted' THEN 'unknown event type ' || e.type
END
 IS NOT NULL) AS refused,
         
min(recorded_at) FILTER (WHERE version = 1) AS created_at,
min(version) FILTER (WHERE type = 'TodoDeleted') AS deleted_version

       FROM events e
      WHERE e.stream = fenced.stream AND e.version > coalesce(fenced.projected, 0) AND e.version <= fenced.upto
     HAVING count(*) > 0
   ) AS f
)
,
judged AS (
  SELECT *, refused IS NULL AND first = projected + 1 AND last - first + 1 = events AND coalesce(deleted_version = last, true) AS sound FROM folded
),
clean AS (
  SELECT judged.*, newest.*
    FROM judged
   CROSS JOIN LATERAL (
     SELECT 
e.recorded_at AS updated_at, deleted_version IS NOT NULL AS deleted,
CASE WHEN deleted_version IS NULL THEN e.data ->> 'text'
     WHEN first < last THEN (SELECT b.data ->> 'text' FROM events b WHERE b.stream = e.stream AND b.version = last - 1)
END AS text
 FROM events e WHERE e.stream = judged.stream AND e.version = judged.last OFFSET 0
   ) AS newest
   WHERE sound AND true
)
,
reach AS (
  SELECT (SELECT count(*) FROM fenced) AS leases, 0::bigint AS walked, 0::bigint AS duplicates, NULL::bigint AS last
),
unfolded AS (
  SELECT stream, epoch, projected + 1 AS version, NULL AS reason
    FROM fenced WHERE stream NOT IN (SELECT stream FROM folded)
   UNION ALL
  SELECT stream, epoch, 0, 'somebody else has locked the stream' FROM busy
)
,
inserted AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
  SELECT stream, text, created_at, updated_at, last, deleted, events FROM clean WHERE first = 1
  RETURNING id, deleted
),
updated AS (
  UPDATE todos t
     SET text = coalesce(clean.text, t.text), updated_at = clean.updated_at, version = clean.last,
         deleted = clean.deleted, applied = t.applied + clean.events
    FROM clean
   WHERE clean.first > 1 AND t.id BETWEEN clean.stream AND clean.stream
     AND CASE WHEN NOT t.deleted THEN t.version END = clean.first - 1
  RETURNING t.id, t.deleted
),
applied AS (
  SELECT id AS stream FROM inserted UNION ALL SELECT id FROM updated
),
todos_tallied AS (
  INSERT INTO todo_tallies (slot, todos, active)
  SELECT $5 ::smallint, i.todos, i.active - u.deleted
    FROM (SELECT count(*) AS todos, count(*) FILTER (WHERE NOT deleted) AS active FROM inserted) AS i,
         (SELECT count(*) FILTER (WHERE deleted) AS deleted FROM updated) AS u
   WHERE i.todos > 0 OR u.deleted > 0
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
)
,
advanced AS (
  UPDATE streams s
     SET projected = clean.last, attempts = 0, retry_at = NULL, blocked_at = NULL, error = NULL,
         holder = NULL, leased_until = NULL,
         pending_since = CASE WHEN clean.last < s.version THEN coalesce(
           (SELECT e.recorded_at FROM events e WHERE e.stream = s.stream AND e.version = clean.last + 1),
           clock_timestamp()) END
    FROM clean
   WHERE s.stream BETWEEN clean.stream AND clean.stream
  RETURNING s.stream, clean.epoch, clean.first, clean.last, clean.last_position, clean.events, NULL AS former
),
audited AS (
  INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
  SELECT stream, first, last, last_position, $4, epoch, clock_timestamp() FROM advanced ORDER BY last_position
),
done AS (
  SELECT count(*) AS streams, coalesce(sum(events), 0)::bigint AS events, max(last_position) AS position,
         count(former) AS takeovers
    FROM advanced
)
,
causes AS (
  SELECT stream, epoch,
         CASE WHEN refused IS NOT NULL THEN refused
              WHEN first = projected + 1 AND last - first + 1 = events THEN deleted_version + 1
              ELSE coalesce((SELECT min(v) FROM generate_series(projected + 1, last) AS v WHERE NOT EXISTS (
                     SELECT FROM events e WHERE e.stream = judged.stream AND e.version = v )), projected + 1)
         END AS version,
         CASE WHEN refused IS NOT NULL THEN
                (SELECT 
CASE WHEN (e.version = 1) <> (e.type = 'TodoCreated') THEN e.type || ' can not be event number ' || e.version
     WHEN e.type IN ('TodoCreated', 'TodoUpdated') THEN
       CASE WHEN jsonb_typeof(e.data -> 'text') IS DISTINCT FROM 'string' THEN e.type || ' has no text' END
     WHEN e.type <> 'TodoDeleted' THEN 'unknown event type ' || e.type
END
 FROM events e WHERE e.stream = judged.stream AND e.version = refused)
              WHEN first = projected + 1 AND last - first + 1 = events THEN 'events follow a deletion' END AS reason
    FROM judged WHERE NOT sound
   UNION ALL
  SELECT stream, epoch, version, reason FROM unfolded
),
troubled AS (
  SELECT stream, epoch, version, coalesce(reason, 'events are missing after version ' || version - 1) AS reason,
         (SELECT min(e.position + 0) FROM events e
           WHERE e.stream = causes.stream AND e.version >= causes.version) AS position
    FROM causes
)
,
tallied AS (
  INSERT INTO tallies (slot, projected, projected_position, projected_at)
  SELECT $5 ::smallint, events, position, clock_timestamp() FROM done WHERE events > 0
  ON CONFLICT (slot) DO UPDATE
     SET projected = tallies.projected + excluded.projected, projected_at = excluded.projected_at,
         projected_position = greatest(tallies.projected_position, excluded.projected_position)
),
counted AS (
  UPDATE projectors p
     SET batches = p.batches + 1, events_projected = p.events_projected + done.events, leases_held = coalesce($6 ::int, 0) + (SELECT count(*) FROM troubled)
    FROM done, reach
   WHERE p.holder = $4
)

SELECT reach.leases, reach.walked, reach.duplicates, done.streams, done.events, reach.last,
       (SELECT json_agg(troubled) FROM troubled) AS troubled,
       CASE WHEN (SELECT count(*) FROM applied) <> (SELECT count(*) FROM clean)
            THEN refuse('the projected row is missing, deleted, or not at the version before the event')
       END AS refused
  FROM reach, done
