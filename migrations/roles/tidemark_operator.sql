-- The operator's commands: unblock, skip, reset. They write no event.
GRANT SELECT ON alembic_version, events, streams, idempotency_keys, tallies TO tidemark_operator;
GRANT SELECT ON cursors, projectors, projection_audit, todos, todo_tallies TO tidemark_operator;
-- On all columns, because `reset --all` locks the table, which takes a right on the whole of it.
GRANT UPDATE ON streams TO tidemark_operator;
GRANT UPDATE (position, holder, epoch, leased_until, attempts, retry_at, blocked_at, error)
   ON cursors TO tidemark_operator;
GRANT INSERT (slot, projected), UPDATE (projected, projected_position, projected_at) ON tallies TO tidemark_operator;
GRANT UPDATE (version), DELETE, TRUNCATE ON todos TO tidemark_operator;
GRANT INSERT, UPDATE, DELETE, TRUNCATE ON todo_tallies TO tidemark_operator;
GRANT DELETE, TRUNCATE ON projection_audit TO tidemark_operator;
-- Positions of a store that was restored go on above its newest event.
GRANT SELECT, UPDATE ON SEQUENCE events_position_seq TO tidemark_operator;
