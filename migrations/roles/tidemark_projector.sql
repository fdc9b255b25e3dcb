-- A projector: leases, checkpoints, the read model, the audit. It writes no event, and moves no head.
GRANT SELECT ON alembic_version, events, streams, tallies TO tidemark_projector;
GRANT SELECT ON cursors, projectors, projection_audit, kept_read_models, shard, todos, todo_tallies,
   activity TO tidemark_projector;
GRANT UPDATE (projected, pending_since, holder, epoch, leased_until, attempts, retry_at, blocked_at, error)
   ON streams TO tidemark_projector;
GRANT INSERT (name),
      UPDATE (position, holder, epoch, leased_until, attempts, retry_at, blocked_at, error, stream, version)
   ON cursors TO tidemark_projector;
GRANT INSERT, UPDATE, DELETE ON projectors TO tidemark_projector;
GRANT INSERT (projection, read_models) ON kept_read_models TO tidemark_projector;
GRANT INSERT (slot, projected, projected_position, projected_at), UPDATE (projected, projected_position, projected_at)
   ON tallies TO tidemark_projector;
GRANT INSERT (stream, from_version, to_version, last_position, projector, epoch, projected_at)
   ON projection_audit TO tidemark_projector;
GRANT INSERT, UPDATE ON todos, todo_tallies, activity TO tidemark_projector;
-- How far the global order may be read, and the refusal of a batch.
GRANT SELECT ON SEQUENCE events_position_seq TO tidemark_projector;
GRANT EXECUTE ON FUNCTION safe_position(), refuse(text) TO tidemark_projector;
