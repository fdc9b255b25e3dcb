"""Durability of a target's database, as a session of its own is told it.

Looked at are the server, roles, databases and functions that change it, and tables that keep nothing in a crash.
What a client sets within its own session can not be seen from another; a target's manifest says what its program does.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from bench.ends.errors import RunFailed
from bench.oracle.database import connect, run

NEEDED: Final = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply")}

SHOWN: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])"
OVERRIDES: Final = """
SELECT coalesce('role ' || rolname, 'database ' || datname, 'a role'), setting
  FROM pg_db_role_setting
  LEFT JOIN pg_roles r ON r.oid = setrole
  LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS setting
 WHERE setting ~* '^(fsync|full_page_writes|synchronous_commit)=' AND (setdatabase = 0 OR datname = current_database())
UNION ALL
SELECT 'function ' || proname, setting FROM pg_proc, unnest(proconfig) AS setting
 WHERE setting ~* '^(fsync|full_page_writes|synchronous_commit)='
"""
UNLOGGED: Final = """
SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind IN ('r', 'p') ORDER BY relname
"""


def require_durable(url: str, target: str) -> None:
    """Raise RunFailed with all that is found where an acknowledged write may not survive a crash of the machine."""
    try:
        found = run(_weak(url))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise RunFailed(f"the durability of {target} could not be checked: {error}") from error
    if found:
        raise RunFailed(f"{target} is not as durable as the server that it was given: {'; '.join(found)}")


async def _weak(url: str) -> list[str]:
    connection = await connect(url)
    try:
        shown = await connection.fetch(SHOWN, list(NEEDED))
        overrides = await connection.fetch(OVERRIDES)
        unlogged = await connection.fetch(UNLOGGED)
    finally:
        await connection.close()
    told = [f"{name} is {value}" for name, value in shown if value not in NEEDED[name]]
    for where, setting in overrides:
        name, _, value = setting.partition("=")
        if value.strip("'\"") not in NEEDED[name.lower()]:
            told.append(f"{where} has {setting}")
    return told + [f"table {row['relname']} is unlogged" for row in unlogged]
