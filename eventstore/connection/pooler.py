"""Connection pooler detection (PgBouncer and its kin): none, session mode, or transaction mode.

A pooler answers a client's log-in itself, with a process id of its own making; in transaction mode the server's
connection behind an idle client is given to others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

import asyncpg

Pooling = Literal["none", "session", "transaction"]

Open = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a connection with `statement_cache_size=0`: a named statement would be left in somebody else's session."""

ROUNDS: Final = 5
WITHIN_S: Final = 2.0
CLOSE_S: Final = 1.0

_PID: Final = "SELECT pg_backend_pid()"


async def find(open: Open) -> Pooling:
    """What stands between here and the server; opens one connection, and a second one where it is a pooler.

    Raises the driver's errors. Statement mode counts as transaction mode. Where the pooler gives no second connection
    to the server in time, the first one is taken to be held: session mode.
    """
    async with _opened(open) as first:
        pid: int = await first.fetchval(_PID)
        if pid == first.get_server_pid():
            return "none"
        async with _opened(open) as second:
            try:
                async with asyncio.timeout(WITHIN_S):
                    shared = await _shared(first, second, pid)
            except TimeoutError:
                shared = False
            return "transaction" if shared else "session"


async def _shared(first: asyncpg.Connection, second: asyncpg.Connection, pid: int) -> bool:
    """Whether a client's next transaction may run in another process, or another client's in the same."""
    for _ in range(ROUNDS):
        other = await second.fetchval(_PID)
        again = await first.fetchval(_PID)
        if other in (pid, again) or again != pid:
            return True
    return False


@asynccontextmanager
async def _opened(open: Open) -> AsyncIterator[asyncpg.Connection]:
    connection = await open()
    try:
        yield connection
        await connection.close(timeout=CLOSE_S)
    finally:
        connection.terminate()
