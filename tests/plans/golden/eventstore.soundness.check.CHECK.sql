WITH 
announced AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock_shared(8388517255930970111) AS taken
),
numbers AS (
  SELECT seqincrement, seqcache, seqcycle, seqmax FROM pg_sequence WHERE seqrelid = to_regclass('events_position_seq')
),
wanted AS (
  SELECT object, part, privilege,
         CASE WHEN object NOT LIKE '%(%' THEN to_regclass(object) END AS relation,
         CASE WHEN object LIKE '%(%' THEN to_regprocedure(object) END AS function
    FROM unnest($1 ::text[], $2 ::text[], $3 ::text[]) AS wanted(object, part, privilege)
),
lacking AS (
  SELECT object, part, privilege, coalesce(relation::oid, function::oid) IS NULL AS absent
    FROM wanted LEFT JOIN pg_class c ON c.oid = wanted.relation
   WHERE NOT coalesce(
     CASE WHEN function IS NOT NULL THEN has_function_privilege(function, privilege)
          WHEN relation IS NULL THEN false
          WHEN c.relkind = 'S' THEN has_sequence_privilege(relation, privilege)
          WHEN part IS NULL THEN has_table_privilege(relation, privilege)
          ELSE has_column_privilege(relation, (
            SELECT attnum FROM pg_attribute WHERE attrelid = relation AND attname = part), privilege)
      END, false)
)
,
place AS MATERIALIZED (
  SELECT coalesce(CASE WHEN has_sequence_privilege(sequence, 'SELECT, USAGE') THEN pg_sequence_last_value(sequence) END,
                  0) AS given,
         coalesce((SELECT position FROM cursors WHERE name = $4), 0) AS cursor
    FROM (SELECT to_regclass('events_position_seq') AS sequence) AS known
),
waiting AS MATERIALIZED (
  SELECT stream, projected + 1 AS version
    FROM streams WHERE pending_since IS NOT NULL AND blocked_at IS NULL ORDER BY pending_since LIMIT 20
),
passed AS (
  SELECT waiting.stream, waiting.version, e.position
    FROM place CROSS JOIN waiting
   CROSS JOIN LATERAL (
     SELECT position FROM events WHERE stream = waiting.stream AND version = waiting.version OFFSET 0
   ) AS e
   WHERE e.position <= place.cursor
)

SELECT current_user::text AS role, pg_is_in_recovery() AS standby,
       current_setting('transaction_read_only') = 'on' AS read_only,
       current_setting('server_encoding') AS server_encoding, current_setting('client_encoding') AS client_encoding,
       (SELECT count(*) > 0
          FROM announced CROSS JOIN LATERAL (
            SELECT FROM pg_locks
             WHERE announced.taken AND locktype = 'advisory' AND objsubid = 1 AND pid = pg_backend_pid()
               AND classid::bigint = 8388517255930970111 >> 32 AND objid::bigint = 8388517255930970111 & 4294967295
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            OFFSET 0
          ) AS seen) AS announcements,
       (SELECT tgenabled::text FROM pg_trigger
         WHERE tgrelid = to_regclass('events') AND tgname = 'announce_writer') AS announce_writer,
       (SELECT tgenabled::text FROM pg_trigger
         WHERE tgrelid = to_regclass('events') AND tgname = 'check_position') AS check_position,
       current_setting('session_replication_role') AS replication_role,
       numbers.seqincrement AS increment, numbers.seqcache AS cache, numbers.seqcycle AS cycle,
       numbers.seqmax AS most,
       (SELECT coalesce(json_agg(lacking), '[]') FROM lacking) AS lacking,
       (SELECT string_agg(DISTINCT object, ', ') FROM wanted
         WHERE relation IS NOT NULL AND row_security_active(relation)) AS filtered,

       place.given, place.cursor,
       (SELECT max(position) FROM events) AS newest,
       (SELECT string_agg(version_num, ', ') FROM alembic_version) AS revision,
       (SELECT coalesce(json_agg(kept), '[]') FROM (SELECT number, hash_slots FROM shard) AS kept) AS kept,
       (SELECT row_to_json(passed) FROM passed ORDER BY position LIMIT 1) AS passed
  FROM place LEFT JOIN numbers ON true
