"""The announcement of a writer at less cost: the sequence is a constant, and only the look starts an executor."""

from typing import Final

from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"

ANNOUNCE_WRITER: Final = """
CREATE OR REPLACE FUNCTION announce_writer() RETURNS trigger LANGUAGE plpgsql AS $$
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
      IF path IS NOT NULL THEN
        ignored := set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);
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
        ignored := set_config('search_path', path, true);
      END IF;
    END IF;
    -- Assigned, as PERFORM would start the executor for each.
    ignored := pg_advisory_xact_lock_shared((29801::bigint << 48) | given);
    ignored := set_config('tidemark.announced', writer, true) || set_config('tidemark.above', given::text, true);
  END IF;
  RETURN NULL;
END $$
"""

ANNOUNCE_WRITER_BEFORE: Final = """
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


def upgrade() -> None:
    op.execute(ANNOUNCE_WRITER)


def downgrade() -> None:
    op.execute(ANNOUNCE_WRITER_BEFORE)
