"""One migrator at a time: a transaction that holds an advisory lock (`pg_advisory_xact_lock`) until it is over.

Nothing of the session is changed, so nothing is left behind in a connection that a pooler gives to somebody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from eventstore.connection.address import parse_url
from eventstore.sqlstates import sqlstate_of

TURN: Final = 1953064546
TURN_TIMEOUT: Final = "60s"
LOCK_TIMEOUT: Final = "10s"
CONNECT_TIMEOUT_S: Final = 10.0

_LOCK_NOT_AVAILABLE: Final = "55P03"

_HOLDERS: Final = text("""
SELECT l.pid, a.application_name, a.usename, a.state, coalesce(a.xact_start, a.backend_start) AS since,
       bool_or(l.locktype = 'advisory') AS turn
  FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
 WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid = 0 AND l.objid = :turn
        OR l.locktype = 'relation' AND l.relation IN (
          SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace))
 GROUP BY 1, 2, 3, 4, 5
 ORDER BY turn DESC, since
 LIMIT 3
""")


class Held(Exception):
    """Somebody else kept a lock for longer than it is waited for; the message says who, and since when."""


@asynccontextmanager
async def turn(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction that has the turn; committed at the end of the block, undone by an error.

    Raises Held where a lock can not be had in time, else the driver's errors.
    """
    told = parse_url(url).arguments()
    told["server_settings"].setdefault("application_name", "migrations")

    # Neither kind of cache: behind a pooler, a prepared statement may be looked for in another connection.
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(**{"timeout": CONNECT_TIMEOUT_S, **told}, statement_cache_size=0)

    unnamed = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, connect_args=unnamed)
    # Each statement sees what was done while it was waited for, whatever the role's default is.
    engine = engine.execution_options(isolation_level="READ COMMITTED")
    try:
        async with engine.connect() as connection:
            try:
                await connection.execute(text(f"SET LOCAL lock_timeout = '{TURN_TIMEOUT}'"))
                await connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
                # A migration that waits for a lock makes all traffic wait behind it, so it gives up soon.
                await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
                yield connection
                await connection.commit()
            except Exception as error:
                if sqlstate_of(error) != _LOCK_NOT_AVAILABLE:
                    raise
                await connection.rollback()
                raise Held(await _holders(connection)) from error
    finally:
        await engine.dispose()


async def _holders(connection: AsyncConnection) -> str:
    found = (await connection.execute(_HOLDERS, {"turn": TURN})).all()
    if not found:
        return "lock timeout: somebody had a lock that is needed, and has ended meanwhile; start it again"
    what = "the migrators' turn is" if found[0].turn else "tables that are to be changed are"
    return f"lock timeout: {what} held by {'; '.join(map(_holder, found))}: let that end, or end it, then start again"


def _holder(row: Any) -> str:
    if row.pid is None:
        return "a prepared transaction (see pg_prepared_xacts)"
    name = row.application_name or "without a name"
    return f"pid {row.pid} (application {name}, user {row.usename}, {row.state}) since {row.since:%Y-%m-%d %H:%M:%S %Z}"
