"""The server's settings and state that a measurement hangs on, read in one statement and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from metrics.records.doctor import Fact

SERVER: Final = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS read_only,
       current_user::text AS role, current_database()::text AS database,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('default_transaction_isolation') AS isolation,
       current_setting('server_encoding') AS encoding,
       (SELECT json_object_agg(name, setting || coalesce(unit, '')) FROM pg_settings
         WHERE setting <> '0' AND name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout',
               'idle_in_transaction_session_timeout', 'idle_session_timeout')) AS limits,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS room,
       (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS role_limit,
       (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS database_limit
"""

OLDEST: Final = 150_000
NEEDED: Final = 20
"""Connections of one API process, one projector, the migrations and the bench."""


def judged(row: Mapping[str, Any], limits: Mapping[str, str]) -> Iterator[Fact]:
    """The facts, each with what follows from it."""
    if row["number"] < OLDEST:
        yield Fact("version", row["version"], "warning", "older than any that was tried: docs/operation/engines.md")
    else:
        yield Fact("version", row["version"])
    if row["standby"]:
        yield Fact("server", "standby (in recovery)", "wrong", "connect to the primary")
    elif row["read_only"] == "on":
        yield Fact("server", "primary, read-only", "wrong", "set default_transaction_read_only off")
    else:
        yield Fact("server", "primary")
    yield Fact("role", f"{row['role']} on {row['database']}")
    yield from _durability(row)
    isolated = row["isolation"] == "read committed"
    note = "" if isolated else "conflicts are retried and cost time; read committed is what is measured elsewhere"
    yield Fact("isolation", row["isolation"], "fine" if isolated else "warning", note)
    told = ", ".join(f"{name} {value}" for name, value in sorted(limits.items()))
    note = "statements that take longer are ended and sent again in smaller parts" if limits else ""
    yield Fact("time limits", told or "none", "warning" if limits else "fine", note)
    room = min(n for n in (row["room"], row["role_limit"], row["database_limit"]) if n is not None)
    few = room < NEEDED
    note = f"a run takes some {NEEDED}: raise max_connections, or end other sessions" if few else ""
    yield Fact("connections left", str(room), "warning" if few else "fine", note)


def _durability(row: Mapping[str, Any]) -> Iterator[Fact]:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        safe = row[name] not in ("off", "local" if name == "synchronous_commit" else "off")
        note = "" if safe else "a crash can lose acknowledged events: no durable number is measured here"
        yield Fact(name, row[name], "fine" if safe else "warning", note)
