"""The store's tables as SQLAlchemy Core, with the names of all constraints.

What a reader must know:

* `streams` holds one row per stream: head `version`, checkpoint `projected`, and the lease. `pending_since`
  is set exactly while the stream has a backlog, so the partial index `ix_streams_claimable` contains
  the pending work and nothing else.
* `events` gets its `position` from Postgres alone (GENERATED ALWAYS). The trigger `announce_writer` runs before every
  insert, whoever makes it: see `eventstore.visibility.safe_position`.
* `tallies` are exact counters, spread over slots so that writers rarely meet. They are written in the
  transactions that they count.
"""

from __future__ import annotations

from textwrap import indent
from typing import Final

from sqlalchemy import (
    DDL,
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
    event,
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

ANNOUNCE_TAG: Final = 29801
"""The upper 16 bits of the advisory locks by which writers announce themselves (arbitrary, constant).

The lower 48 hold a position: room for 890 years of 10,000 events a second.
"""

UNSOUND: Final = "TM001"
"""The SQLSTATE by which the schema's functions refuse to go on: what the global order rests on does not hold."""

REPAIR: Final = "run `python -m services.projector positions`"
"""What to do where the sequence, or a cursor, does not fit the log."""

_GIVEN: Final = f"""\
given := pg_sequence_last_value(numbers);
IF given IS NULL THEN
  IF NOT has_sequence_privilege(numbers, 'SELECT, USAGE') THEN
    RAISE EXCEPTION USING ERRCODE = '{UNSOUND}', MESSAGE = format(
      'the role %s may not read the sequence events_position_seq; '
      'GRANT SELECT ON SEQUENCE events_position_seq TO %1$I', current_user);
  END IF;
  given := 0;
END IF;"""

# An event above what was just read may have come meanwhile: then the sequence has moved, too.
_NOTHING_ABOVE: Final = f"""\
PERFORM FROM events WHERE position > given ORDER BY position LIMIT 1;
IF FOUND THEN
  SELECT max(position) INTO newest FROM events;
  IF coalesce(pg_sequence_last_value(numbers), 0) < newest THEN
    RAISE EXCEPTION USING ERRCODE = '{UNSOUND}', MESSAGE = format(
      'the sequence events_position_seq stands at %s, below the newest event at %s; '
      '{REPAIR}', given, newest);
  END IF;
END IF;"""

# The position that the transaction announces is also the bound of those that it takes: `check_position`.
_announce_writer = DDL(
    f"""
CREATE FUNCTION announce_writer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  writer text := pg_current_xact_id()::text;
  numbers regclass;
  path text;
  given bigint;
  newest bigint;
  ignored text;
BEGIN
  -- Once a transaction. The settings end, and are undone by a savepoint, together with the lock.
  IF current_setting('tidemark.announced', true) IS DISTINCT FROM writer THEN
    -- A constant where the search path finds it. Were it another sequence, its number would be refused, above by
    -- check_position or below by the look at the newest event.
    IF to_regclass('events') IS NOT DISTINCT FROM TG_RELID THEN
      numbers := 'events_position_seq'::regclass;
    ELSE
      numbers := format('%I.events_position_seq', TG_TABLE_SCHEMA)::regclass;
      path := current_setting('search_path');
    END IF;
{indent(_GIVEN, "    ")}
    -- Where all transactions are serializable, this look would make each conflict with each.
    IF current_setting('transaction_isolation') <> 'serializable' THEN
      IF path IS NOT NULL THEN
        ignored := set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
      END IF;
{indent(_NOTHING_ABOVE, "      ")}
      IF path IS NOT NULL THEN
        ignored := set_config('search_path', path, true);
      END IF;
    END IF;
    -- Assigned, as PERFORM would start the executor for each.
    ignored := pg_advisory_xact_lock_shared(({ANNOUNCE_TAG}::bigint << 48) | given);
    ignored := set_config('tidemark.announced', writer, true) || set_config('tidemark.above', given::text, true);
  END IF;
  RETURN NULL;
END $$
""".replace("%", "%%")
)

_announce_trigger = DDL(
    "CREATE TRIGGER announce_writer BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION announce_writer()"
)

# Also for a session that calls itself a replica, so that its events are not passed over.
_announce_always = DDL("ALTER TABLE events ENABLE ALWAYS TRIGGER announce_writer")

_check_position = DDL(
    f"""
CREATE FUNCTION check_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '{UNSOUND}', MESSAGE = format(
    'position %s is not above %s, which was given out before: the sequence events_position_seq was set back, has a '
    'cache, counts down or in a cycle, or somebody brought the position; see `python -m services.projector positions`',
    NEW.position, coalesce(nullif(current_setting('tidemark.above', true), ''), 'anything: announce_writer is off'));
END $$
""".replace("%", "%%")
)

# As a condition of the trigger, because a call for each row would cost ten times as much.
_check_trigger = DDL(
    """
CREATE TRIGGER check_position BEFORE INSERT ON events FOR EACH ROW
  WHEN (coalesce(NEW.position <= nullif(current_setting('tidemark.above', true), '')::bigint, true))
  EXECUTE FUNCTION check_position()
"""
)

# The order matters: what the sequence has given out is read first, the writers under way second. A writer that
# announces itself after the second step takes its positions after the first, so they lie above `given`.
_safe_position = DDL(
    f"""
CREATE FUNCTION safe_position() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  numbers regclass := 'events_position_seq';
  given bigint;
  newest bigint;
  announced bigint;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = '{UNSOUND}', MESSAGE =
      'a standby does not know the writers under way: ask the primary for the safe position';
  END IF;
{indent(_GIVEN, "  ")}
{indent(_NOTHING_ABOVE, "  ")}
  SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO announced
    FROM pg_locks
   WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = {ANNOUNCE_TAG}
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
  RETURN least(given, announced);
END $$
""".replace("%", "%%")
)

_refuse = DDL(
    """
CREATE FUNCTION refuse(reason text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = reason;
END $$
"""
)

event.listen(events, "after_create", _refuse)
event.listen(events, "after_create", _announce_writer)
event.listen(events, "after_create", _announce_trigger)
event.listen(events, "after_create", _announce_always)
event.listen(events, "after_create", _check_position)
event.listen(events, "after_create", _check_trigger)
event.listen(events, "after_create", _safe_position)
event.listen(
    events,
    "after_drop",
    DDL("DROP FUNCTION IF EXISTS announce_writer(), check_position(), safe_position(), refuse(text)"),
)
