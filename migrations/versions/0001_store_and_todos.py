"""The event store, the leases, and the todos."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0001"
down_revision: Final = None

ANNOUNCE_WRITER: Final = """
CREATE FUNCTION announce_writer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  writer text := pg_current_xact_id()::text;
BEGIN
  -- Once a transaction. The setting ends, and is undone by a savepoint, together with the lock.
  IF current_setting('tidemark.announced', true) IS DISTINCT FROM writer THEN
    PERFORM pg_advisory_xact_lock_shared((29801::bigint << 48) | coalesce(
      pg_sequence_last_value(format('%I.events_position_seq', TG_TABLE_SCHEMA)::regclass), 0));
    PERFORM set_config('tidemark.announced', writer, true);
  END IF;
  RETURN NULL;
END $$
"""

ANNOUNCE_TRIGGER: Final = (
    "CREATE TRIGGER announce_writer BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION announce_writer()"
)

SAFE_POSITION: Final = """
CREATE FUNCTION safe_position() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  head bigint := coalesce(pg_sequence_last_value('events_position_seq'), 0);
  announced bigint;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'a standby does not know the writers under way: ask the primary for the safe position';
  END IF;
  SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO announced
    FROM pg_locks
   WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 29801
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
  RETURN least(head, announced);
END $$
"""

REFUSE: Final = """
CREATE FUNCTION refuse(reason text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = reason;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("(holder IS NULL) = (leased_until IS NULL)", name=op.f("ck_cursors_lease")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_events_version")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("stream", "version", name=op.f("uq_events_stream_version")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "projection_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(collation="C"), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("to_version", sa.Integer(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("projector", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("projected_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("to_version >= from_version", name=op.f("ck_projection_audit_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projection_audit")),
    )
    op.create_table(
        "projectors",
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alive_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leases_held", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("claims", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("batches", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("events_projected", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("takeovers", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_takeover_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('serial', 'parallel')", name=op.f("ck_projectors_mode")),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_projectors")),
    )
    op.create_table(
        "streams",
        sa.Column("stream", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("projected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pending_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("(holder IS NULL) = (leased_until IS NULL)", name=op.f("ck_streams_lease")),
        sa.CheckConstraint("(version > projected) = (pending_since IS NOT NULL)", name=op.f("ck_streams_pending")),
        sa.CheckConstraint("projected BETWEEN 0 AND version", name=op.f("ck_streams_checkpoint")),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_streams")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "ix_streams_blocked",
        "streams",
        ["blocked_at"],
        unique=False,
        postgresql_where=sa.text("blocked_at IS NOT NULL"),
    )
    op.create_index(
        "ix_streams_claimable",
        "streams",
        ["pending_since"],
        unique=False,
        postgresql_where=sa.text("pending_since IS NOT NULL AND blocked_at IS NULL"),
    )
    op.create_table(
        "tallies",
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("streams", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("projected", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("projected_position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("projected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drains", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_tallies")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "todo_tallies",
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("todos", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_todo_tallies")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "todos",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_todos_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_todos_active",
        "todos",
        [sa.text('id COLLATE "POSIX"')],
        unique=False,
        postgresql_where=sa.text("NOT deleted"),
    )
    op.execute(ANNOUNCE_WRITER)
    op.execute(ANNOUNCE_TRIGGER)
    op.execute(SAFE_POSITION)
    op.execute(REFUSE)


def downgrade() -> None:
    for table in (
        "todos",
        "todo_tallies",
        "tallies",
        "streams",
        "projectors",
        "projection_audit",
        "idempotency_keys",
        "events",
        "cursors",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION announce_writer(), safe_position(), refuse(text)")
