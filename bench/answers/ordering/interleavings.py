"""Interleavings by hand: the one order of steps in which a later position is visible first, whoever the writers are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import asyncpg

from bench.answers.ordering.load import DATA, POLL_S, TYPE, Moments, catch_up, look
from bench.answers.ordering.strategy import PLAIN, Follower, Seen, Strategy
from metrics.records.answers import ordering as records

READS: Final = 3
"""Of the follower while the first transaction is open; a strategy of two steps needs two."""
BOUND_S: Final = 30.0


@dataclass(frozen=True)
class Bench:
    """Four connections to one database: two writers, the follower's, and one that looks at the server."""

    first: asyncpg.Connection
    second: asyncpg.Connection
    reader: asyncpg.Connection
    observer: asyncpg.Connection


class Recorded:
    """A follower that remembers what it was given, in its order."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self.events: list[Seen] = []

    async def read(self) -> Sequence[Seen]:
        """As the follower's."""
        found = await self._follower.read()
        self.events += found
        return found


async def every(bench: Bench, strategy: Strategy) -> list[records.Interleaving]:
    """Both by the protocol, the first or the second past it, and both past it."""
    kinds: tuple[records.Writer, ...] = ("protocol", "plain")
    return [await interleave(bench, strategy, first, second) for first, second in product(kinds, kinds)]


async def interleave(
    bench: Bench, strategy: Strategy, first: records.Writer, second: records.Writer
) -> records.Interleaving:
    """The first appends, the second appends and commits, the follower reads, the first commits, the follower reads."""
    follower, moments = await strategy.follow(bench.reader), Moments()
    streams = [f"{first} before {second}, {which}" for which in ("first", "second")]
    statements = {"protocol": strategy.append, "plain": PLAIN}
    waited = False
    await bench.first.execute("BEGIN")
    try:
        async with asyncio.timeout(BOUND_S):
            await append(bench.first, statements[first], streams[0], 1)
            appending = asyncio.ensure_future(append(bench.second, statements[second], streams[1], 1))
            waited = await waits(bench, appending)
            for _ in range(READS):
                await look(follower, moments)
                await asyncio.sleep(POLL_S)
            await bench.first.execute("COMMIT")
            await appending
    except asyncpg.PostgresError:
        if first == second == "protocol":
            raise
        await bench.first.execute("ROLLBACK")
        return {"first": first, "second": second, "outcome": "refused", "waited": waited}
    outcome: records.Outcome = "lost" if await missing(bench, follower, moments, streams) else "seen"
    return {"first": first, "second": second, "outcome": outcome, "waited": waited}


async def order(bench: Bench, strategy: Strategy) -> records.Order:
    """Whether versions of a stream come inverted where a transaction that began earlier appends to it later.

    The first appends to another stream; the second appends version 1 and commits; the first appends version 2.
    """
    follower, stream = Recorded(await strategy.follow(bench.reader)), "both"
    await bench.first.execute("BEGIN")
    async with asyncio.timeout(BOUND_S):
        await append(bench.first, strategy.append, "another", 1)
        appending = asyncio.ensure_future(append(bench.second, strategy.append, stream, 1))
        if await waits(bench, appending):
            await bench.first.execute("COMMIT")
            await appending
            return "kept"
        await append(bench.first, strategy.append, stream, 2)
        await bench.first.execute("COMMIT")
    await missing(bench, follower, Moments(), [stream])
    versions = [event.version for event in follower.events if event.stream == stream]
    return "kept" if versions == sorted(versions) else "inverted"


async def append(connection: asyncpg.Connection, statement: str, stream: str, version: int) -> int:
    """One event, prepared as the load's are; returns its position."""
    return int(await (await connection.prepare(statement)).fetchval(stream, version, TYPE, DATA))


async def waits(bench: Bench, appending: asyncio.Future[int]) -> bool:
    """Whether the second writer waits for a lock of the first; returns once it does, or once it is done."""
    pid = bench.second.get_server_pid()
    while not appending.done():
        if await bench.observer.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
            return True
        await asyncio.sleep(POLL_S)
    return False


async def missing(bench: Bench, follower: Follower, moments: Moments, streams: Sequence[str]) -> set[int]:
    """What these streams have and the follower never gave."""
    found = await bench.observer.fetch("SELECT position FROM events WHERE stream = ANY ($1::text[])", streams)
    there = {row["position"] for row in found}
    await catch_up(follower, moments, bench.observer, lambda: not there <= moments.seen.keys())
    return there - moments.seen.keys()
