"""Functions and triggers of the table `events`, in PL/pgSQL: writers announce themselves, no position comes twice.

`announce_writer` and `check_position` run before every insert, whoever makes it; `safe_position` is what readers ask.
Why they are right together: see `eventstore.visibility.safe_position`. They are made and dropped with the table.
"""

from __future__ import annotations

from textwrap import indent
from typing import Final

from sqlalchemy import DDL, event

from eventstore.schema.tables import events

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
