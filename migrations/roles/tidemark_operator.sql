-- The operator's commands: unblock, skip, reset, recount. They write no event.
GRANT SELECT ON alembic_version, events, streams, idempotency_keys, tallies TO tidemark_operator;
GRANT SELECT ON cursors, projectors, projection_audit, kept_read_models, shard, todos, todo_tallies,
   activity TO tidemark_operator;
GRANT UPDATE (projected, pending_since, holder, epoch, leased_until, attempts, retry_at, blocked_at, error, skipped)
   ON streams TO tidemark_operator;
GRANT UPDATE (position, holder, epoch, leased_until, attempts, retry_at, blocked_at, error, stream, version)
   ON cursors TO tidemark_operator;
-- All counters, because `recount` mends what was damaged by hand.
GRANT INSERT (slot, projected), UPDATE (events, streams, projected, projected_position, projected_at)
   ON tallies TO tidemark_operator;
GRANT INSERT, UPDATE ON todo_tallies, activity TO tidemark_operator;
GRANT UPDATE (version), DELETE ON todos TO tidemark_operator;
-- A reset of all may bring in another list of read models.
GRANT INSERT, UPDATE (read_models, becoming) ON kept_read_models TO tidemark_operator;
GRANT DELETE ON projection_audit TO tidemark_operator;
-- Positions of a store that was restored go on above its newest event.
GRANT SELECT, UPDATE ON SEQUENCE events_position_seq TO tidemark_operator;
