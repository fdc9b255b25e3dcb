-- The oracle of the bench, and whoever else only looks.
GRANT SELECT ON alembic_version, events, streams, idempotency_keys, tallies TO tidemark_oracle;
GRANT SELECT ON cursors, projectors, projection_audit, kept_read_models, shard, todos, todo_tallies,
   activity TO tidemark_oracle;
GRANT SELECT ON SEQUENCE events_position_seq TO tidemark_oracle;
