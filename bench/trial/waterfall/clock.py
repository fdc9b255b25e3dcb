"""Clock offset to the database by round trips, as NTP takes it: the shortest of several bounds the error."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

import asyncpg

from bench.oracle.database import connect

TRIES: Final = 20


@dataclass(frozen=True)
class Offset:
    """By how much the database's clock is ahead of this machine's, right within `within_s`."""

    ahead_s: float
    within_s: float

    def here(self, moment: datetime) -> float:
        """A moment of the database's as seconds since the epoch by this machine's clock."""
        return moment.timestamp() - self.ahead_s

    def drifted(self, later: Offset) -> Offset:
        """Midway between two looks; what the clocks are apart, or moved against each other, is part of the error."""
        ahead = (self.ahead_s + later.ahead_s) / 2
        apart = abs(self.ahead_s - later.ahead_s) / 2
        return Offset(ahead, max(self.within_s, later.within_s) + apart)


SAME: Final = Offset(0.0, 0.0)
"""Of what is told by this machine's clock, or by none."""


def of_any(clocks: Sequence[Offset]) -> Offset:
    """Of a moment by one of these clocks, whichever; how far they are apart is part of the error."""
    return reduce(Offset.drifted, clocks) if clocks else SAME


async def offsets(urls: Sequence[str]) -> list[Offset]:
    """Of the database of each shard, in their order."""
    return [await offset(url) for url in urls]


async def offset(url: str) -> Offset:
    """Ask the database for the time again and again, and believe the quickest answer."""
    connection = await connect(url)
    try:
        found = [await _look(connection) for _ in range(TRIES)]
    finally:
        await connection.close()
    return min(found, key=lambda one: one.within_s)


async def _look(connection: asyncpg.Connection) -> Offset:
    before = time.time()
    moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    after = time.time()
    return Offset(moment.timestamp() - (before + after) / 2, (after - before) / 2)
