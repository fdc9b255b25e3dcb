"""Errors on order: a trigger that raises any SQLSTATE as often as asked, locks, limits, a server that is read-only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from projection.ordering.global_order import GlobalOrder
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from tests.integration.projector.stage import Stage

STRATEGIES: Final[dict[str, dict[str, Any]]] = {
    "serial": {"serial": True, "make": GlobalOrder},
    "stream-leases": {"make": StreamLeases},
    "claim-and-project": {"make": StreamLocks},
}
"""How a projector is started for each way to work."""

AGAIN: Final = ("40001", "40P01", "55006", "55P03", "57014", "72000", "XX000")
AWAY: Final = (
    *("08006", "25006", "25P03", "26000", "28000", "3D000", "40003"),
    *("42P05", "53100", "53200", "55000", "57P01", "58030", "F0000"),
)
PASSING: Final = (*AGAIN, *AWAY)
POISON: Final = ("21000", "22012", "22P02", "23505", "23514", "44000", "54000", "P0001")
DEFECT: Final = ("0A000", "24000", "42501", "42P01", "55P02", "HV000", "XX001")

WRITTEN: Final = ("todos", "todo_tallies", "projection_audit", "tallies", "streams", "projectors")
"""The tables that every projector writes to."""


@asynccontextmanager
async def raised(url: str, table: str, code: str, *, times: int = 10**9, which: str = "true") -> AsyncIterator[None]:
    """Until the block ends, the first `times` rows written to the table, of those in question, raise the SQLSTATE.

    The count is a sequence's, which no rollback undoes.
    """
    count = f"""
      IF nextval('planted') <= {times} THEN
        RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'planted {code}';
      END IF;
      RETURN NEW;"""
    admin = await asyncpg.connect(url)
    await admin.execute(f"""
        CREATE SEQUENCE planted;
        GRANT USAGE ON SEQUENCE planted TO PUBLIC;
        CREATE FUNCTION plant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {count} END $$;
        CREATE TRIGGER plant BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW WHEN ({which}) EXECUTE FUNCTION plant();
    """)
    try:
        yield
    finally:
        await admin.execute(f"DROP TRIGGER plant ON {table}; DROP FUNCTION plant(); DROP SEQUENCE planted")
        await admin.close()


@asynccontextmanager
async def locked(url: str, table: str, mode: str = "SHARE") -> AsyncIterator[None]:
    """Until the block ends, somebody holds the table, as CREATE INDEX does."""
    holder = await asyncpg.connect(url)
    try:
        await holder.execute(f"BEGIN; LOCK TABLE {table} IN {mode} MODE")
        yield
    finally:
        await holder.close()


@asynccontextmanager
async def database_setting(url: str, name: str, value: str) -> AsyncIterator[None]:
    """Until the block ends, the database has the setting; all sessions are cut where it begins.

    Where it ends they are not: those that are open keep it.
    """
    admin = await asyncpg.connect(url, server_settings={"default_transaction_read_only": "off"})
    database = url.rpartition("/")[2]
    try:
        await admin.execute(f"ALTER DATABASE {database} SET {name} = '{value}'")
        await cut(admin)
        yield
    finally:
        await admin.execute(f"ALTER DATABASE {database} RESET {name}")
        await admin.close()


async def cut(admin: asyncpg.Connection) -> None:
    """End all other sessions of the database."""
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    # The server's last word and the connection's end are here by now. The event loop reads one a turn, and between the
    # two asyncpg refuses a statement without sending it.
    for _ in range(10):
        await asyncio.sleep(0)


async def blamed(stage: Stage) -> int:
    """How many attempts have been counted against streams, and against the cursor."""
    return int(
        await stage.value(
            "SELECT (SELECT coalesce(sum(attempts), 0) FROM streams) + (SELECT coalesce(sum(attempts), 0) FROM cursors)"
            " + (SELECT count(*) FROM streams WHERE blocked_at IS NOT NULL OR error IS NOT NULL)"
            " + (SELECT count(*) FROM cursors WHERE blocked_at IS NOT NULL OR error IS NOT NULL)"
        )
    )


async def planted(stage: Stage) -> int:
    """How often the trigger has been asked."""
    return int(await stage.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM planted"))


async def for_seconds(seconds: float) -> None:
    """Let the trouble last: what is to be seen is that nothing comes of it."""
    await asyncio.sleep(seconds)
