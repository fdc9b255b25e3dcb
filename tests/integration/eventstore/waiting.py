"""Wait until the server is in a state, within a bound."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.looks import between_looks

BOUND_S = 10.0


async def until(connection: asyncpg.Connection, condition: str) -> None:
    """Wait until the SQL condition is true. The connection may be in a transaction."""
    async with asyncio.timeout(BOUND_S):
        pauses = between_looks()
        while not await connection.fetchval(f"SELECT {condition}"):
            await asyncio.sleep(next(pauses))
            # Within a transaction, what the server's activity is read from is a copy.
            await connection.execute("SELECT pg_stat_clear_snapshot()")


def waits_for_lock(application: str) -> str:
    """A condition: some statement of that application waits for a lock."""
    return (
        "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        f" AND application_name = '{application}')"
    )
