"""Who holds old things back: the oldest snapshot (xmin horizon), and the lowest announcement of a writer (watermark).

* A *snapshot*, or a transaction that has written, keeps Postgres from removing what became dead after it began. So each
  claim of work reads past the dead entries of all that was projected since: `tests/plans/test_held_snapshot`.
* An *announcement* holds the serial reader before the first position of its writer: see `visibility`.

One statement of the server's own views: its cost follows the number of connections. Of sessions of other roles Postgres
tells pid, application and age to everybody, `state` and `since` only to members of pg_read_all_stats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from eventstore.schema import ANNOUNCE_TAG
from eventstore.soundness.statement import OWN_ANNOUNCEMENT

# By datid, and without names of users: so the views are read without a look at the catalog.
HOLDERS: Final = Statement(
    text(f"""
WITH here AS MATERIALIZED (
  SELECT oid FROM pg_database WHERE datname = current_database()
),
sessions AS MATERIALIZED (
  SELECT pid, application_name AS name, state, xact_start AS since,
         greatest(age(backend_xid), age(backend_xmin)) AS behind
    FROM pg_stat_activity
   WHERE (datid = (SELECT oid FROM here) OR backend_type = 'walsender')
     AND backend_type IS DISTINCT FROM 'autovacuum worker' AND pid <> pg_backend_pid()
),
prepared AS MATERIALIZED (
  SELECT transaction, gid AS name, prepared AS since, age(transaction) AS behind
    FROM pg_prepared_xacts WHERE database = current_database()
),
snapshot AS (
  SELECT 'session' AS kind, * FROM sessions WHERE behind IS NOT NULL
  UNION ALL
  SELECT 'prepared transaction', NULL, name, 'prepared', since, behind FROM prepared
  UNION ALL
  SELECT 'replication slot', active_pid, slot_name, NULL, NULL, age(xmin)
    FROM pg_replication_slots WHERE xmin IS NOT NULL
   ORDER BY behind DESC, since
   LIMIT 1
),
held AS MATERIALIZED (
  SELECT locktype, database, classid, objid, objsubid, transactionid, virtualtransaction, pid
    FROM pg_locks WHERE granted
),
lowest AS MATERIALIZED (
  SELECT ((classid::bigint & 65535) << 32) | objid::bigint AS position, pid, virtualtransaction
    FROM held
   WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = {ANNOUNCE_TAG}
     AND (classid::bigint, objid::bigint) <> ({OWN_ANNOUNCEMENT >> 32}, {OWN_ANNOUNCEMENT & 0xFFFFFFFF})
     AND database = (SELECT oid FROM here)
   ORDER BY position
   LIMIT 1
),
announcement AS (
  SELECT CASE WHEN l.pid IS NULL THEN 'prepared transaction' ELSE 'session' END AS kind, l.pid,
         coalesce(s.name, p.name, '') AS name, CASE WHEN l.pid IS NULL THEN 'prepared' ELSE s.state END AS state,
         coalesce(s.since, p.since) AS since,
         coalesce(pg_sequence_last_value('events_position_seq'::regclass), 0) - l.position AS behind
    FROM lowest l
    LEFT JOIN sessions s ON s.pid = l.pid
    LEFT JOIN held own ON l.pid IS NULL AND own.locktype = 'transactionid' AND own.pid IS NULL
                      AND own.virtualtransaction = l.virtualtransaction
    LEFT JOIN prepared p ON p.transaction = own.transactionid
)
SELECT clock_timestamp() AS observed_at, pg_stat_get_dead_tuples('streams'::regclass) AS dead_streams,
       (SELECT row_to_json(snapshot) FROM snapshot) AS snapshot,
       (SELECT row_to_json(announcement) FROM announcement) AS announcement
""")
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A session, prepared transaction or replication slot; `since` its transaction began, if that may be known.

    `behind` is how far back it holds: in transactions for a snapshot, in positions for an announcement.
    """

    kind: Literal["session", "prepared transaction", "replication slot"]
    pid: int | None
    name: str
    state: str | None
    since: datetime | None
    behind: int


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds most back at this moment; None: nobody. `dead_streams`: rows of `streams` that wait for a vacuum."""

    observed_at: datetime
    dead_streams: int
    snapshot: Holder | None
    announcement: Holder | None


async def read_holders(database: Database) -> Holders:
    """Ask the server, in one statement. Raises StoreUnavailable."""
    (row,) = await database.fetch(HOLDERS)
    holder = Holder | None
    return Holders(
        row["observed_at"],
        row["dead_streams"],
        msgspec.convert(row["snapshot"], holder),
        msgspec.convert(row["announcement"], holder),
    )
