"""Postgres statistics views, read beside a run: wait events of its backends, and its counters.

Each look is a read-only transaction of its own with a time limit, so it holds no snapshot, and no lock that anybody
waits for. Counters of Postgres lag behind by up to a second: a backend tells of its work when it has a moment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any, Final

import asyncpg

from metrics.records.sections.resources import Counted, Table

TIMEOUT_MS: Final = 1000
RUNNING: Final = "CPU"
"""A backend that works and waits for nothing that Postgres knows of."""
TABLES: Final = 64

ACTIVITY: Final = """
SELECT pid, backend_type, application_name, state, wait_event_type, wait_event
  FROM pg_stat_activity
 WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
"""

COUNTERS: Final = """
SELECT xact_commit AS commits, xact_rollback AS rollbacks, blks_hit AS blocks_hit, blks_read AS blocks_read,
       tup_inserted + tup_updated + tup_deleted AS tuples,
       CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint END AS wal_bytes,
       ({checkpoints}) AS checkpoints
  FROM pg_stat_database WHERE datname = current_database()
"""
CHECKPOINTS: Final = {
    17: "SELECT num_timed + num_requested FROM pg_stat_checkpointer",
    0: "SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter",
}
"""From this version of Postgres on."""

DEAD: Final = f"""
SELECT relname AS name, n_dead_tup AS dead, n_tup_ins AS inserted
  FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT {TABLES}
"""
SIZES: Final = f"""
SELECT relname AS name, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_hot_upd AS hot_updated,
       n_live_tup AS live, n_dead_tup AS dead,
       coalesce(pg_table_size(relid), 0) AS table_bytes, coalesce(pg_indexes_size(relid), 0) AS index_bytes
  FROM pg_stat_user_tables ORDER BY relname LIMIT {TABLES}
"""
COUNTED: Final = ("events", "commits", "rollbacks", "wal_bytes", "tuples", "blocks_hit", "blocks_read", "checkpoints")
EVENTS: Final = "events"
"""The table of the log: each row that was inserted is an event."""

POSTMASTER: Final = """
SELECT pg_backend_pid() AS backend, extract(epoch FROM pg_postmaster_start_time())::float8 AS started
"""

_CLIENTS: Final = re.compile(r"(api|projector|bench)\b")


@dataclass(frozen=True)
class Counters:
    """Totals at one moment, and dead rows by table; a total that the server does not tell is not there."""

    totals: Mapping[str, int] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)

    def since(self, before: Counters) -> dict[str, int]:
        """What came since then; nothing of a counter that was set back meanwhile."""
        known = {name: total - before.totals[name] for name, total in self.totals.items() if name in before.totals}
        return {name: count for name, count in known.items() if count >= 0}


@dataclass(frozen=True)
class Told:
    """What a server told at the end of a second: its counters, None without an answer, and of the `looks` since the
    second before its busy backends by what they waited for; for whom each of its processes worked then.
    """

    counters: Counters | None = None
    looks: int = 0
    waits: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)

    def counted(self, before: Told, own_commits: int) -> Counted:
        """The second that ended with this; `own_commits` of it are the sampler's. Pure."""
        counts = self.counters.since(before.counters) if self.counters and before.counters else {}
        if "commits" in counts:
            counts["commits"] = max(0, counts["commits"] - own_commits)
        return Counted(
            looks=self.looks,
            waits=dict(self.waits),
            dead_tuples=dict(self.counters.dead) if self.counters else {},
            **{name: counts.get(name) for name in COUNTED},
        )


def together(servers: Sequence[Counted]) -> Counted:
    """Of the servers of all shards in one. A count that one of them did not tell is told of none. Pure."""
    dead = [one.dead_tuples for one in servers]
    return Counted(
        looks=max((one.looks for one in servers), default=0),
        waits=added([one.waits for one in servers]),
        dead_tuples=added(dead) if all(dead) else {},
        **{name: _sum([getattr(one, name) for one in servers]) for name in COUNTED},
    )


def added(each: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sum of each name's counts. Pure."""
    return {name: sum(one.get(name, 0) for one in each) for name in dict.fromkeys(chain.from_iterable(each))}


def tables_together(servers: Sequence[Mapping[str, Table]]) -> dict[str, Table]:
    """Rows and sizes of a table in all shards; nothing where one of them did not tell. Pure."""
    found = {}
    for name in servers[0] if servers and all(servers) else ():
        own = [tables[name].to_dict() for tables in servers if name in tables]
        found[name] = Table(**added(own))
    return found


def _sum(told: Sequence[int | None]) -> int | None:
    known = [count for count in told if count is not None]
    return sum(known) if known and len(known) == len(told) else None


async def activity(connection: asyncpg.Connection) -> list[Mapping[str, Any]]:
    """A row for each backend of this database and each process of the server, but for this one's own."""
    async with connection.transaction(readonly=True):
        await _bound(connection)
        rows: list[Mapping[str, Any]] = await connection.fetch(ACTIVITY)
    return rows


async def counters(connection: asyncpg.Connection) -> Counters:
    """The totals now."""
    version = connection.get_server_version().major
    checkpoints = next(text for since, text in CHECKPOINTS.items() if version >= since)
    async with connection.transaction(readonly=True):
        await _bound(connection)
        row = await connection.fetchrow(COUNTERS.format(checkpoints=checkpoints))
        tables = await connection.fetch(DEAD)
    totals = {name: int(value) for name, value in row.items() if value is not None}
    inserted = [int(table["inserted"]) for table in tables if table["name"] == EVENTS]
    if inserted:
        totals["events"] = inserted[0]
    return Counters(totals, {table["name"]: int(table["dead"]) for table in tables})


async def tables(connection: asyncpg.Connection) -> dict[str, Table]:
    """Rows and sizes of each table now."""
    async with connection.transaction(readonly=True):
        await _bound(connection)
        rows = await connection.fetch(SIZES)
    return {row["name"]: Table(**{each.name: int(row[each.name]) for each in fields(Table)}) for row in rows}


async def postmaster(connection: asyncpg.Connection) -> tuple[int, float]:
    """The process of this connection's backend, by the server's own count, and when the server was started."""
    row = await connection.fetchrow(POSTMASTER)
    return int(row["backend"]), float(row["started"])


async def _bound(connection: asyncpg.Connection) -> None:
    # Within the transaction, so that it is gone with it, whoever has the connection next.
    await connection.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")


def waits(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Busy backends by what they wait for. Who has nothing to do (`Activity`, an idle client) is not busy. Pure."""
    return Counter(wait for row in rows if (wait := _wait(row)))


def _wait(row: Mapping[str, Any]) -> str | None:
    kind, event = row["wait_event_type"], row["wait_event"]
    if row["backend_type"] == "client backend":
        if row["state"] in (None, "idle"):
            return None
        return "idle in transaction" if str(row["state"]).startswith("idle in") else _named(kind, event)
    # Without a right to see it, all of these are null. Timeout is a pause of its own, as between two writes.
    return None if kind in (None, "Activity", "Timeout") else _named(kind, event)


def _named(kind: str | None, event: str | None) -> str:
    return RUNNING if kind is None else f"{kind}:{event}"


def label(row: Mapping[str, Any]) -> str:
    """For whom a backend works, or what it is."""
    if row["backend_type"] != "client backend":
        return str(row["backend_type"] or "unknown")
    found = _CLIENTS.match(row["application_name"] or "")
    return found[1] if found else "other clients"
