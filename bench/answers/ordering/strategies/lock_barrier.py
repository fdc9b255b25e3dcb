"""Shared-lock barrier: writers hold a shared advisory lock, the reader takes it exclusively for a moment.

In that moment no writer is under way, so all positions given out are committed or never will be. The wait for it is
bounded, and after a wait in vain the reader rests as long: new writers queue up behind a reader that waits.
"""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg

from bench.answers.ordering.strategy import BARE, Follower, Strategy, UpToHead

KEY: Final = 52
WAIT_S: Final = 0.05

# The head is read by a second statement of the function, so by a snapshot that is younger than the lock.
BARRIER: Final = f"""
CREATE FUNCTION barrier() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '{WAIT_S * 1000:.0f}ms' AS $$
BEGIN
  PERFORM pg_advisory_xact_lock({KEY});
  RETURN (SELECT coalesce(max(position), 0) FROM events);
END $$
"""

APPEND: Final = f"""
WITH turn AS MATERIALIZED (
  SELECT pg_advisory_xact_lock_shared({KEY})
)
INSERT INTO events (stream, version, type, data)
SELECT $1::text, $2::int, $3::text, $4::jsonb FROM turn
RETURNING position
"""


async def follow(connection: asyncpg.Connection) -> Follower:
    """The head is the last position, read while no writer is under way; 0 where that moment did not come."""
    barrier = await connection.prepare("SELECT barrier()")

    async def head() -> int:
        try:
            return int(await barrier.fetchval())
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(WAIT_S)
            return 0

    return await UpToHead.on(connection, head)


STRATEGY: Final = Strategy(
    title="shared advisory lock of the writers, a momentary exclusive one of the reader, for at most"
    f" {WAIT_S * 1000:.0f} ms",
    append=APPEND,
    follow=follow,
    guarantee="all up to the head is over, among writers that take the lock; foreign transactions do not matter",
    price="each head waits for all writers under way, and new ones wait behind it",
    failure="a stalled writer holds back the reader, which lets writers stand for its bound again and again;"
    " one that skips the lock is lost",
    schema=(*BARE, BARRIER),
)
