"""Writers that append one event after another at full speed, beside a follower that polls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import Any, Final, Self

import asyncpg

from bench.answers.ordering.strategy import PAGE, Follower
from bench.ends.errors import RunFailed

TYPE: Final = "TodoCreated"
DATA: Final = '{"text": "buy milk, bread and a newspaper"}'
STREAMS: Final = 64
"""Of each writer, in turn; nobody else writes to them, so there are no conflicts."""

LATE: Final = 0.02
ROLLED_BACK: Final = 0.02
IDLE_S: Final = (0.001, 0.005)
"""Shares of the transactions that idle for so long after their append, and commit, or roll back."""

POLL_S: Final = 0.005
"""Pause of a follower after a read that gave less than a page."""
QUIET: Final = 5
"""Reads in a row that give nothing, while no transaction lives, before a follower counts as at the end."""
PATIENCE_S: Final = 60.0

# Of the whole cluster, since some strategies wait for all of it.
OPEN: Final = "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()"

clock: Final = time.monotonic


@dataclass
class Moments:
    """When each position was acknowledged as committed and when the follower saw it, and what appends took.

    Seconds of one steady clock. `appends` are end and length of those that neither idled nor rolled back. Positions up
    to `before` are of an earlier time, and were seen then.
    """

    before: int = 0
    committed: dict[int, float] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)
    appends: list[tuple[float, float]] = field(default_factory=list)
    late: int = 0
    rolled_back: int = 0
    doubled: int = 0

    def lags(self) -> list[float]:
        """From commit to sight, of all that were seen."""
        both = self.seen.keys() & self.committed.keys()
        return [max(0.0, self.seen[position] - self.committed[position]) for position in both]


class Writer:
    """One connection with streams of its own and a prepared append."""

    def __init__(self, connection: asyncpg.Connection, append: Any, name: str) -> None:
        self.connection, self._append, self._name = connection, append, name
        self._count = 0

    @classmethod
    async def on(cls, connection: asyncpg.Connection, append: str, name: str) -> Self:
        """Prepare the statement. Raises the driver's errors."""
        prepared = await connection.prepare(append)
        await synchronize(connection)
        return cls(connection, prepared, name)

    async def append(self) -> int:
        """One event to the next stream; returns its position. Outside of a transaction it is committed."""
        stream, version = self._count % STREAMS, self._count // STREAMS + 1
        self._count += 1
        return int(await self._append.fetchval(f"{self._name}-{stream}", version, TYPE, DATA))

    async def write(self, moments: Moments, over: asyncio.Event, disorder: Random | None) -> None:
        """Append until it is over; by `disorder` some transactions idle, and some roll back."""
        while not over.is_set():
            drawn = 1.0 if disorder is None else disorder.random()
            if disorder is not None and drawn < LATE + ROLLED_BACK:
                await self._idle(moments, disorder.uniform(*IDLE_S), keep=drawn < LATE)
                continue
            began = clock()
            position = await self.append()
            ended = clock()
            moments.committed[position] = ended
            moments.appends.append((ended, ended - began))

    async def _idle(self, moments: Moments, seconds: float, *, keep: bool) -> None:
        await self.connection.execute("BEGIN")
        position = await self.append()
        await asyncio.sleep(seconds)
        await self.connection.execute("COMMIT" if keep else "ROLLBACK")
        if keep:
            moments.committed[position] = clock()
            moments.late += 1
        else:
            self._count -= 1
            moments.rolled_back += 1


async def synchronize(connection: asyncpg.Connection) -> None:
    """End the transaction that asyncpg's `prepare` leaves open until the next statement, with its lock of the table."""
    await connection.execute("SELECT 1")


async def follow(follower: Follower, moments: Moments, over: asyncio.Event) -> None:
    """Poll until it is over, without a pause while there are whole pages."""
    while not over.is_set():
        if await look(follower, moments) < PAGE:
            await asyncio.sleep(POLL_S)


async def look(follower: Follower, moments: Moments) -> int:
    """One read; returns how many events it gave."""
    found = await follower.read()
    at = clock()
    for event in found:
        moments.doubled += event.position in moments.seen or event.position <= moments.before
        moments.seen[event.position] = at
    return len(found)


async def catch_up(
    follower: Follower, moments: Moments, observer: asyncpg.Connection, missing: Callable[[], bool]
) -> None:
    """Read until nothing is missing, or until reads gave nothing though no transaction of the cluster lived.

    So what is missing then is lost, not late. Raises RunFailed where transactions never end.
    """
    quiet, until = 0, clock() + PATIENCE_S
    while missing() and quiet < QUIET:
        if clock() > until:
            raise RunFailed(f"after {PATIENCE_S:.0f} s a transaction was still open, so nobody knows what is lost")
        # Asked before the read: whoever ends in between may have left something for the next one.
        living = await observer.fetchval(OPEN)
        found = await look(follower, moments)
        quiet = 0 if found or living else quiet + 1
        await asyncio.sleep(POLL_S)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[ceil(len(ordered) * share) - 1] if ordered else 0.0
