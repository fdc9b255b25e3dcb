WITH here AS MATERIALIZED (
  SELECT oid FROM pg_database WHERE datname = current_database()
),
sessions AS MATERIALIZED (
  SELECT pid, application_name AS name, state, xact_start AS since,
         greatest(age(backend_xid), age(backend_xmin)) AS behind
    FROM pg_stat_activity
   WHERE (datid = (SELECT oid FROM here) OR backend_type = 'walsender')
     AND backend_type IS DISTINCT FROM 'autovacuum worker' AND pid <> pg_backend_pid()
),
prepared AS MATERIALIZED (
  SELECT transaction, gid AS name, prepared AS since, age(transaction) AS behind
    FROM pg_prepared_xacts WHERE database = current_database()
),
snapshot AS (
  SELECT 'session' AS kind, * FROM sessions WHERE behind IS NOT NULL
  UNION ALL
  SELECT 'prepared transaction', NULL, name, 'prepared', since, behind FROM prepared
  UNION ALL
  SELECT 'replication slot', active_pid, slot_name, NULL, NULL, age(xmin)
    FROM pg_replication_slots WHERE xmin IS NOT NULL
   ORDER BY behind DESC, since
   LIMIT 1
),
held AS MATERIALIZED (
  SELECT locktype, database, classid, objid, objsubid, transactionid, virtualtransaction, pid
    FROM pg_locks WHERE granted
),
lowest AS MATERIALIZED (
  SELECT ((classid::bigint & 65535) << 32) | objid::bigint AS position, pid, virtualtransaction
    FROM held
   WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 29801
     AND (classid::bigint, objid::bigint) <> (1953103871, 4294967295)
     AND database = (SELECT oid FROM here)
   ORDER BY position
   LIMIT 1
),
announcement AS (
  SELECT CASE WHEN l.pid IS NULL THEN 'prepared transaction' ELSE 'session' END AS kind, l.pid,
         coalesce(s.name, p.name, '') AS name, CASE WHEN l.pid IS NULL THEN 'prepared' ELSE s.state END AS state,
         coalesce(s.since, p.since) AS since,
         coalesce(pg_sequence_last_value('events_position_seq'::regclass), 0) - l.position AS behind
    FROM lowest l
    LEFT JOIN sessions s ON s.pid = l.pid
    LEFT JOIN held own ON l.pid IS NULL AND own.locktype = 'transactionid' AND own.pid IS NULL
                      AND own.virtualtransaction = l.virtualtransaction
    LEFT JOIN prepared p ON p.transaction = own.transactionid
)
SELECT clock_timestamp() AS observed_at, pg_stat_get_dead_tuples('streams'::regclass) AS dead_streams,
       (SELECT row_to_json(snapshot) FROM snapshot) AS snapshot,
       (SELECT row_to_json(announcement) FROM announcement) AS announcement
