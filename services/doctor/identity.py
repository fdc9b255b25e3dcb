"""Which engine answers: told by its `version()`, and by the extension that makes a Postgres another engine.

Asked on a plain connection and before all else, since another engine need not take what our own connections set up.
"""

from __future__ import annotations

import re
from typing import Any, Final

import asyncpg

from eventstore.connection.address import PostgresUrl
from eventstore.connection.bounds import BOUNDS
from metrics.records.doctor import Fact
from services.doctor.engines import ENGINE, row

VERSION: Final = "SELECT version()"
CITUS: Final = "SELECT extversion FROM pg_extension WHERE extname = 'citus'"

OTHERS: Final = {
    "CockroachDB": re.compile(r"CockroachDB\b"),
    "YugabyteDB": re.compile(r"PostgreSQL \S+-YB-"),
    # It tells no platform and no compiler.
    "Aurora DSQL": re.compile(r"PostgreSQL [\d.]+$"),
}
# Up to 16, a server on Windows tells its compiler alone.
POSTGRES: Final = re.compile(r"PostgreSQL \d[^\s,]*( \([^)]*\))?( on |, compiled by )")
UNKNOWN: Final = "any other engine"


async def engine(url: PostgresUrl) -> Fact:
    """The engine at the address; wrong where nothing is sound on it, and its note says why. Raises as the driver."""
    told: dict[str, Any] = {"timeout": BOUNDS.connect, **url.arguments(), "statement_cache_size": 0}
    connection = await asyncpg.connect(**told, command_timeout=BOUNDS.statement)
    try:
        version: str = await connection.fetchval(VERSION)
        for name, says in OTHERS.items():
            if says.match(version):
                return _wrong(name, name, version)
        if not POSTGRES.match(version):
            return _wrong(UNKNOWN, "unknown", version)
        if citus := await connection.fetchval(CITUS):
            return _wrong("Citus", "Citus", citus)
    finally:
        connection.terminate()
    return Fact(ENGINE, "PostgreSQL")


def _wrong(named: str, name: str, version: str) -> Fact:
    return Fact(ENGINE, f"{name} ({version})", "wrong", row(named).why)
