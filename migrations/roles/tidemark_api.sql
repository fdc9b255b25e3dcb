-- The API: appends events, moves the head of a stream, reads everything.
-- No lease, no checkpoint, no row of the read model; an event or a key that was written stays as it is.
GRANT SELECT ON alembic_version, events, streams, idempotency_keys, tallies TO tidemark_api;
GRANT SELECT ON cursors, projectors, projection_audit, kept_read_models, shard, todos, todo_tallies,
   activity TO tidemark_api;
GRANT INSERT (stream, version, type, data) ON events TO tidemark_api;
GRANT INSERT (stream, version, pending_since), UPDATE (version, pending_since) ON streams TO tidemark_api;
GRANT INSERT (key, fingerprint, stream, version) ON idempotency_keys TO tidemark_api;
GRANT INSERT (slot, events, streams, drains), UPDATE (events, streams, drains) ON tallies TO tidemark_api;
-- Announces the last position given out (announce_writer); takes none but by an insert.
GRANT SELECT ON SEQUENCE events_position_seq TO tidemark_api;
-- How far the log may be read.
GRANT EXECUTE ON FUNCTION safe_position() TO tidemark_api;
