"""The store's tables as SQLAlchemy Core, with the names of all constraints.

What a reader must know:

* `streams` holds one row per stream: head `version`, checkpoint `projected`, and the lease. `pending_since`
  is set exactly while the stream has a backlog, so the partial index `ix_streams_claimable` contains
  the pending work and nothing else.
* `events` gets its `position` from Postgres alone (GENERATED ALWAYS). The trigger `announce_writer` runs before every
  insert, whoever makes it (`eventstore.schema.functions`).
* `tallies` are exact counters, spread over slots so that writers rarely meet. They are written in the
  transactions that they count.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Byte order on every server, whatever its locale: locks are taken in this order to exclude deadlocks.
Name: Final = Text(collation="C")
Timestamp: Final = DateTime(timezone=True)

streams: Final = Table(
    "streams",
    metadata,
    Column("stream", Name),
    Column("version", Integer, nullable=False),
    Column("projected", Integer, nullable=False, server_default=text("0")),
    Column("pending_since", Timestamp),
    Column("holder", Text),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("leased_until", Timestamp),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("retry_at", Timestamp),
    Column("blocked_at", Timestamp),
    Column("error", Text),
    # Versions that an operator has passed over: never applied. NULL: none.
    Column("skipped", ARRAY(Integer)),
    PrimaryKeyConstraint("stream"),
    CheckConstraint("projected BETWEEN 0 AND version", name="checkpoint"),
    CheckConstraint("(version > projected) = (pending_since IS NOT NULL)", name="pending"),
    CheckConstraint("(holder IS NULL) = (leased_until IS NULL)", name="lease"),
    # Free space in each page lets an update of the lease stay in its page.
    postgresql_with={"fillfactor": 70},
)
Index(
    "ix_streams_claimable",
    streams.c.pending_since,
    postgresql_where=text("pending_since IS NOT NULL AND blocked_at IS NULL"),
)
Index("ix_streams_blocked", streams.c.blocked_at, postgresql_where=text("blocked_at IS NOT NULL"))

events: Final = Table(
    "events",
    metadata,
    Column("position", BigInteger, Identity(always=True)),
    Column("stream", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("recorded_at", Timestamp, nullable=False, server_default=func.clock_timestamp()),
    PrimaryKeyConstraint("position"),
    UniqueConstraint("stream", "version"),
    CheckConstraint("version > 0", name="version"),
)

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text),
    Column("fingerprint", Text, nullable=False),
    Column("stream", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recorded_at", Timestamp, nullable=False, server_default=func.clock_timestamp()),
    PrimaryKeyConstraint("key"),
)

cursors: Final = Table(
    "cursors",
    metadata,
    Column("name", Text),
    Column("position", BigInteger, nullable=False, server_default=text("0")),
    Column("holder", Text),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("leased_until", Timestamp),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("retry_at", Timestamp),
    Column("blocked_at", Timestamp),
    Column("error", Text),
    # The event that could not be applied.
    Column("stream", Name),
    Column("version", Integer),
    PrimaryKeyConstraint("name"),
    CheckConstraint("(holder IS NULL) = (leased_until IS NULL)", name="lease"),
    CheckConstraint("(stream IS NULL) = (version IS NULL)", name="event"),
)

projectors: Final = Table(
    "projectors",
    metadata,
    Column("holder", Text),
    Column("mode", Text, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("seen_at", Timestamp, nullable=False),
    Column("alive_until", Timestamp, nullable=False),
    Column("leases_held", Integer, nullable=False, server_default=text("0")),
    Column("claims", BigInteger, nullable=False, server_default=text("0")),
    Column("batches", BigInteger, nullable=False, server_default=text("0")),
    Column("events_projected", BigInteger, nullable=False, server_default=text("0")),
    Column("duplicates", BigInteger, nullable=False, server_default=text("0")),
    Column("takeovers", BigInteger, nullable=False, server_default=text("0")),
    Column("last_takeover_at", Timestamp),
    # What the process counts for itself, and writes with its heartbeat.
    Column("sessions", BigInteger, nullable=False, server_default=text("0")),
    Column("fenced", BigInteger, nullable=False, server_default=text("0")),
    Column("time_limits", BigInteger, nullable=False, server_default=text("0")),
    Column("listening", Boolean, nullable=False, server_default=text("false")),
    Column("connections_open", Integer, nullable=False, server_default=text("0")),
    Column("connections_used", Integer, nullable=False, server_default=text("0")),
    Column("connections_awaited", Integer, nullable=False, server_default=text("0")),
    # Why it may not work now; NULL while it may.
    Column("waiting", Text),
    # By which ordering strategy it works; NULL: it ended before it could say.
    Column("strategy", Text),
    # By which event handler, and which read models it keeps, as the settings write them.
    Column("handler", Text),
    Column("read_models", Text),
    PrimaryKeyConstraint("holder"),
    CheckConstraint("mode IN ('serial', 'parallel')", name="mode"),
)

# By which READ_MODELS the checkpoints were made. `becoming`: that which a `reset --all` is bringing in.
kept_read_models: Final = Table(
    "kept_read_models",
    metadata,
    Column("projection", Text),
    Column("read_models", ARRAY(Text), nullable=False),
    Column("becoming", ARRAY(Text)),
    PrimaryKeyConstraint("projection"),
)

# Which shard this store is, and the shard of each hash slot: one row, written once (`eventstore.shards.place`).
shard: Final = Table(
    "shard",
    metadata,
    Column("number", SmallInteger, autoincrement=False),
    Column("hash_slots", ARRAY(SmallInteger), nullable=False),
    PrimaryKeyConstraint("number"),
    CheckConstraint("cardinality(hash_slots) = 256", name="hash_slots"),
)

tallies: Final = Table(
    "tallies",
    metadata,
    Column("slot", SmallInteger),
    Column("events", BigInteger, nullable=False, server_default=text("0")),
    Column("streams", BigInteger, nullable=False, server_default=text("0")),
    Column("projected", BigInteger, nullable=False, server_default=text("0")),
    Column("projected_position", BigInteger, nullable=False, server_default=text("0")),
    Column("projected_at", Timestamp),
    Column("drains", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("slot"),
    postgresql_with={"fillfactor": 50},
)

projection_audit: Final = Table(
    "projection_audit",
    metadata,
    Column("id", BigInteger, Identity(always=True)),
    Column("stream", Name, nullable=False),
    Column("from_version", Integer, nullable=False),
    Column("to_version", Integer, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    Column("projector", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("projected_at", Timestamp, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("to_version >= from_version", name="range"),
)

REVISION: Final = "0011"
"""The revision of the migrations that makes what stands here. A database at another one is not served."""

SLOTS: Final = 1024
"""How many tally rows there can be."""
