WITH
place AS MATERIALIZED (
  SELECT c.name, c.position, c.epoch
    FROM cursors c
   WHERE c.name = $1 AND c.holder = $2 AND c.epoch = $3 AND c.leased_until > clock_timestamp()
     FOR UPDATE
),
walked AS MATERIALIZED (
  SELECT e.stream, e.version, e.position, place.epoch
    FROM place
   CROSS JOIN LATERAL (
     SELECT * FROM events WHERE position > place.position AND position <= $4 ORDER BY position LIMIT $5
   ) AS e
),
spans AS MATERIALIZED (
  SELECT stream, epoch, min(version) AS first, max(version) AS last, min(position) AS position
    FROM walked GROUP BY stream, epoch ORDER BY stream
),
fenced AS MATERIALIZED (
  SELECT spans.*, s.projected,
         CASE WHEN s.projected IS NOT NULL THEN NULL
              WHEN EXISTS (SELECT FROM streams h WHERE h.stream = spans.stream) THEN 'somebody else has locked the stream'
              ELSE 'the stream has events but no head' END AS absence
    FROM spans
    LEFT JOIN LATERAL (
      SELECT s.projected FROM streams s WHERE s.stream = spans.stream FOR UPDATE SKIP LOCKED
    ) AS s ON true
),
batch AS (
  SELECT coalesce(fenced.projected, 0) AS projected, fenced.epoch, e.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT e.*, coalesce(fenced.absence, 
CASE WHEN (e.version = 1) <> (e.type = 'TodoCreated') THEN e.type || ' can not be event number ' || e.version
     WHEN e.type IN ('TodoCreated', 'TodoUpdated') THEN
       CASE WHEN jsonb_typeof(e.data -> 'text') IS DISTINCT FROM 'string' THEN e.type || ' has no text' END
     WHEN e.type <> 'TodoDeleted' THEN 'unknown event type ' || e.type
END
) AS reason
       FROM events e
      WHERE e.stream = fenced.stream AND e.version BETWEEN fenced.first AND fenced.last AND e.version > coalesce(fenced.projected, 0)
     OFFSET 0
   ) AS e
)
,
folded AS MATERIALIZED (
  SELECT stream, projected, epoch, count(*) AS events, min(version) AS first, max(version) AS last,
         max(position) AS last_position, min(version) FILTER (WHERE reason IS NOT NULL) AS refused,
         (min(ARRAY[lpad(version::text, 10, '0'), reason]) FILTER (WHERE reason IS NOT NULL))[2] AS reason,
         
(array_agg(data ->> 'text' ORDER BY version DESC) FILTER (WHERE type <> 'TodoDeleted'))[1] AS text,
min(recorded_at) FILTER (WHERE version = 1) AS created_at,
(array_agg(recorded_at ORDER BY version DESC))[1] AS updated_at,
bool_or(type = 'TodoDeleted') AS deleted,
min(version) FILTER (WHERE type = 'TodoDeleted') AS deleted_version

    FROM batch
   GROUP BY stream, projected, epoch
),
judged AS (
  SELECT *, refused IS NULL AND first = projected + 1 AND last - first + 1 = events AND coalesce(deleted_version = last, true) AS sound FROM folded
),
clean AS (
  SELECT * FROM judged WHERE sound AND NOT EXISTS (SELECT FROM judged WHERE NOT sound)
)
,
reach AS (
  SELECT (SELECT count(*) FROM place) AS leases, count(*) AS walked,
         count(*) - (SELECT coalesce(sum(events), 0)::bigint FROM folded) AS duplicates, max(position) AS last
    FROM walked
),
unfolded AS (
  SELECT NULL::text AS stream, NULL::bigint AS epoch, NULL::int AS version, NULL AS reason WHERE false
)
,
inserted AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted)
  SELECT stream, text, created_at, updated_at, last, deleted FROM clean WHERE first = 1
  RETURNING id, deleted
),
updated AS (
  UPDATE todos t
     SET text = coalesce(clean.text, t.text), updated_at = clean.updated_at, version = clean.last,
         deleted = clean.deleted
    FROM clean
   WHERE clean.first > 1 AND t.id = clean.stream AND t.version = clean.first - 1 AND NOT t.deleted
  RETURNING t.id, t.deleted
),
applied AS (
  SELECT id AS stream FROM inserted UNION ALL SELECT id FROM updated
),
todos_tallied AS (
  INSERT INTO todo_tallies (slot, todos, active)
  SELECT $6 ::smallint, i.todos, i.active - u.deleted
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
   WHERE s.stream = clean.stream
  RETURNING s.stream, clean.epoch, clean.first, clean.last, clean.last_position, clean.events
),
audited AS (
  INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
  SELECT stream, first, last, last_position, $2, epoch, clock_timestamp() FROM advanced ORDER BY last_position
),
done AS (
  SELECT count(*) AS streams, coalesce(sum(events), 0)::bigint AS events, max(last_position) AS position FROM advanced
),
causes AS (
  SELECT stream, epoch,
         CASE WHEN refused IS NOT NULL THEN refused
              WHEN first = projected + 1 AND last - first + 1 = events THEN deleted_version + 1
              ELSE coalesce((SELECT min(v) FROM generate_series(projected + 1, last) AS v WHERE NOT EXISTS (
                     SELECT FROM events e WHERE e.stream = judged.stream AND e.version = v)), projected + 1)
         END AS version,
         CASE WHEN refused IS NOT NULL THEN reason WHEN first = projected + 1 AND last - first + 1 = events THEN 'events follow a deletion' END AS reason
    FROM judged WHERE NOT sound
   UNION ALL
  SELECT stream, epoch, version, reason FROM unfolded
),
troubled AS (
  SELECT stream, epoch, version, coalesce(reason, 'events are missing after version ' || version - 1) AS reason,
         (SELECT min(e.position + 0) FROM events e
           WHERE e.stream = causes.stream AND e.version >= causes.version) AS position
    FROM causes
),
tallied AS (
  INSERT INTO tallies (slot, projected, projected_position, projected_at)
  SELECT $6 ::smallint, events, position, clock_timestamp() FROM done WHERE events > 0
  ON CONFLICT (slot) DO UPDATE
     SET projected = tallies.projected + excluded.projected, projected_at = excluded.projected_at,
         projected_position = greatest(tallies.projected_position, excluded.projected_position)
),
counted AS (
  UPDATE projectors p
     SET batches = p.batches + 1, events_projected = p.events_projected + done.events, leases_held = (SELECT count(*) FROM place),
         duplicates = p.duplicates + CASE WHEN EXISTS (SELECT FROM troubled) THEN 0 ELSE reach.duplicates END
    FROM done, reach
   WHERE p.holder = $2
)
,
moved AS (
  UPDATE cursors c
     SET position = reach.last, attempts = 0, retry_at = NULL, error = NULL,
         leased_until = clock_timestamp() + $7 ::interval
    FROM reach, place
   WHERE c.name = place.name AND reach.last IS NOT NULL AND NOT EXISTS (SELECT FROM troubled)
)

SELECT reach.leases, reach.walked, reach.duplicates, done.streams, done.events, reach.last,
       (SELECT json_agg(troubled) FROM troubled) AS troubled,
       CASE WHEN (SELECT count(*) FROM applied) <> (SELECT count(*) FROM clean)
            THEN refuse('the projected row is missing, deleted, or not at the version before the event') END AS refused
  FROM reach, done
