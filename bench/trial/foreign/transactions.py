"""Sessions of the system within a transaction that has written: found, ended, and what becomes of them."""

from __future__ import annotations

from typing import Final

from bench.trial.foreign.session import OURS

# A number of `pg_stat_activity` has 32 bits, a status is asked for by 64: those of the era of now.
_XID: Final = "((pg_snapshot_xmax(pg_current_snapshot())::text::bigint >> 32 << 32) + backend_xid::text::bigint)::text"

WITHIN: Final = f"""
SELECT pid, backend_start, application_name, {_XID} AS xid
  FROM pg_stat_activity
 WHERE {OURS} AND state = 'active' AND backend_xid IS NOT NULL
"""
"""Each has a number, so it has written, and holds the lock of that number and those of its rows."""

ENDED: Final = f"""
WITH within AS MATERIALIZED ({WITHIN})
SELECT application_name, xid, pg_terminate_backend(pid, 1000) AS gone FROM within
"""
"""End each of them, and wait for its end."""

ABORTED: Final = "SELECT pg_xact_status($1::text::xid8) = 'aborted'"
"""Whether nothing came of a transaction: it was struck within, for else it would be committed."""

HELD: Final = """
SELECT (SELECT count(*) FROM pg_locks WHERE pid = a.pid AND granted) AS locks
  FROM pg_stat_activity AS a
 WHERE pid = $1 AND backend_start = $2 AND state = 'active' AND backend_xid IS NOT NULL
"""
"""The locks of one that is within a transaction still; no row for any other."""

WAITING: Final = """
SELECT pid, query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND $1 = ANY (pg_blocking_pids(pid))
"""
"""Who waits for a lock of one."""


def kind(application_name: str) -> str:
    """What a session is of: `api`, `projector`; of another target its name, if it has one."""
    return application_name.partition(" ")[0] or "a session"
