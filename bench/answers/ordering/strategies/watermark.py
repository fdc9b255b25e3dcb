"""Watermark: a trigger announces each writer by a shared advisory lock, the reader stops before the lowest of them.

The product's own, by its public function and its own triggers: `eventstore/visibility/safe_position`, ADR 0002.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from bench.answers.ordering.strategy import PLAIN, Follower, Strategy, UpToHead

SAFE: Final = "SELECT safe_position()"


async def follow(connection: asyncpg.Connection) -> Follower:
    """The head is the position up to which nothing can still commit."""
    return await UpToHead.on(connection, (await connection.prepare(SAFE)).fetchval)


STRATEGY: Final = Strategy(
    title="shared advisory lock whose key is the last position given out; the reader stops before the lowest",
    append=PLAIN,
    follow=follow,
    guarantee="all up to the safe position is committed or never will be; versions of a stream keep their order",
    price="a trigger and a shared lock for each writing transaction, a round trip more for each head",
    failure="a stalled writer holds back the reader at its own position, and nobody else",
    schema=(),
)
