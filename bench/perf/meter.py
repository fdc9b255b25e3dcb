"""What work costs: processor time by /proc, and what Postgres counts of statements, buffers and WAL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil

from bench.perf.lab import Lab
from bench.platforms.postgres.cluster import Cluster
from bench.platforms.processes import Process

SETTINGS: Final = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_planning": "off"}
EXTENSION: Final = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"

# Statements are counted as they are sent, so one is one round trip; those of the meter itself name pg_stat_statements.
# A NOTIFY that a connection has prepared is counted the first time only: Postgres does not tell of the later ones.
COUNTERS: Final = """
SELECT sum(calls)::float8 AS statements, sum(shared_blks_hit)::float8 AS hits,
       sum(shared_blks_read)::float8 AS reads, pg_current_wal_lsn() - '0/0'::pg_lsn AS wal
  FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND toplevel AND query !~ 'pg_stat_statements|pg_backend_pid'
"""


@dataclass(frozen=True)
class Counters:
    """Totals at one moment. `cpu` is in seconds by the name of a process, `postgres` among them."""

    statements: float
    hits: float
    reads: float
    wal: float
    cpu: Mapping[str, float]

    def since(self, before: Counters) -> Counters:
        """What came since then."""
        return Counters(
            self.statements - before.statements,
            self.hits - before.hits,
            self.reads - before.reads,
            self.wal - before.wal,
            {name: seconds - before.cpu.get(name, 0.0) for name, seconds in self.cpu.items()},
        )


def count(lab: Lab, url: str, *processes: Process) -> Counters:
    """The totals now; `url` must have the extension."""
    return count_all(lab, {url: lab.cluster}, *processes)


def count_all(lab: Lab, stores: Mapping[str, Cluster], *processes: Process) -> Counters:
    """The sums over several databases, each by its address on a server of its own."""
    rows = [lab.sql(url, COUNTERS)[0] for url in stores]
    cpu_s = {process.name: cpu(process.pid) for process in processes}
    cpu_s["postgres"] = sum(cpu(cluster.process.pid) for cluster in stores.values())
    statements, hits, reads, wal = (
        sum(float(row[name] or 0) for row in rows) for name in ("statements", "hits", "reads", "wal")
    )
    return Counters(statements, hits, reads, wal, cpu_s)


def cpu(pid: int) -> float:
    """Seconds of a process and all its children, those that have ended included."""
    parent = psutil.Process(pid)
    total = 0.0
    for process in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
            if process.pid == pid:
                total += times.children_user + times.children_system
    return total
