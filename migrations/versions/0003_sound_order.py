"""What the global order rests on is checked in the database, too; and a projector says what it waits for."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

ANNOUNCE_WRITER: Final = """
CREATE OR REPLACE FUNCTION announce_writer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  writer text := pg_current_xact_id()::text;
  numbers regclass;
  path text;
  given bigint;
  newest bigint;
BEGIN
  -- Once a transaction. The settings end, and are undone by a savepoint, together with the lock.
  IF current_setting('tidemark.announced', true) IS DISTINCT FROM writer THEN
    numbers := format('%I.events_position_seq', TG_TABLE_SCHEMA)::regclass;
    given := pg_sequence_last_value(numbers);
    IF given IS NULL THEN
      IF NOT has_sequence_privilege(numbers, 'SELECT, USAGE') THEN
        RAISE EXCEPTION USING ERRCODE = 'TM001', MESSAGE = format(
          'the role %s may not read the sequence events_position_seq; '
          'GRANT SELECT ON SEQUENCE events_position_seq TO %1$I', current_user);
      END IF;
      given := 0;
    END IF;
    -- Where all transactions are serializable, this look would make each conflict with each.
    IF current_setting('transaction_isolation') <> 'serializable' THEN
      IF to_regclass('events') IS DISTINCT FROM TG_RELID THEN
        path := current_setting('search_path');
        PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
      END IF;
      PERFORM FROM events WHERE position > given ORDER BY position LIMIT 1;
      IF FOUND THEN
        SELECT max(position) INTO newest FROM events;
        IF coalesce(pg_sequence_last_value(numbers), 0) < newest THEN
          RAISE EXCEPTION USING ERRCODE = 'TM001', MESSAGE = format(
            'the sequence events_position_seq stands at %s, below the newest event at %s; '
            'run `python -m services.projector positions`', given, newest);
        END IF;
      END IF;
      IF path IS NOT NULL THEN
        PERFORM set_config('search_path', path, true);
      END IF;
    END IF;
    PERFORM pg_advisory_xact_lock_shared((29801::bigint << 48) | given);
    PERFORM set_config('tidemark.announced', writer, true), set_config('tidemark.above', given::text, true);
  END IF;
  RETURN NULL;
END $$
"""

SAFE_POSITION: Final = """
CREATE OR REPLACE FUNCTION safe_position() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  numbers regclass := 'events_position_seq';
  given bigint;
  newest bigint;
  announced bigint;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION USING ERRCODE = 'TM001', MESSAGE =
      'a standby does not know the writers under way: ask the primary for the safe position';
  END IF;
  given := pg_sequence_last_value(numbers);
  IF given IS NULL THEN
    IF NOT has_sequence_privilege(numbers, 'SELECT, USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = 'TM001', MESSAGE = format(
        'the role %s may not read the sequence events_position_seq; '
        'GRANT SELECT ON SEQUENCE events_position_seq TO %1$I', current_user);
    END IF;
    given := 0;
  END IF;
  PERFORM FROM events WHERE position > given ORDER BY position LIMIT 1;
  IF FOUND THEN
    SELECT max(position) INTO newest FROM events;
    IF coalesce(pg_sequence_last_value(numbers), 0) < newest THEN
      RAISE EXCEPTION USING ERRCODE = 'TM001', MESSAGE = format(
        'the sequence events_position_seq stands at %s, below the newest event at %s; '
        'run `python -m services.projector positions`', given, newest);
    END IF;
  END IF;
  SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO announced
    FROM pg_locks
   WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 29801
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
  RETURN least(given, announced);
END $$
"""

CHECK_POSITION: Final = """
CREATE FUNCTION check_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TM001', MESSAGE = format(
    'position %s is not above %s, which was given out before: the sequence events_position_seq was set back, has a '
    'cache, counts down or in a cycle, or somebody brought the position; see `python -m services.projector positions`',
    NEW.position, coalesce(nullif(current_setting('tidemark.above', true), ''), 'anything: announce_writer is off'));
END $$
"""

CHECK_TRIGGER: Final = """
CREATE TRIGGER check_position BEFORE INSERT ON events FOR EACH ROW
  WHEN (coalesce(NEW.position <= nullif(current_setting('tidemark.above', true), '')::bigint, true))
  EXECUTE FUNCTION check_position()
"""

ANNOUNCE_WRITER_BEFORE: Final = """
CREATE OR REPLACE FUNCTION announce_writer() RETURNS trigger LANGUAGE plpgsql AS $$
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

SAFE_POSITION_BEFORE: Final = """
CREATE OR REPLACE FUNCTION safe_position() RETURNS bigint LANGUAGE plpgsql AS $$
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


def upgrade() -> None:
    op.add_column("projectors", sa.Column("waiting", sa.Text(), nullable=True))
    op.execute(ANNOUNCE_WRITER)
    op.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER announce_writer")
    op.execute(CHECK_POSITION)
    op.execute(CHECK_TRIGGER)
    op.execute(SAFE_POSITION)


def downgrade() -> None:
    op.execute("DROP TRIGGER check_position ON events")
    op.execute("DROP FUNCTION check_position()")
    op.execute("ALTER TABLE events ENABLE TRIGGER announce_writer")
    op.execute(ANNOUNCE_WRITER_BEFORE)
    op.execute(SAFE_POSITION_BEFORE)
    op.drop_column("projectors", "waiting")
