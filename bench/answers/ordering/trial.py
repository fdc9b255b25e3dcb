"""One trial of a strategy: interleavings by hand, a load, a stalled writer, and a foreign transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import asyncpg

from bench.answers.ordering import interleavings
from bench.answers.ordering.interleavings import Bench
from bench.answers.ordering.load import Moments, Writer, catch_up, clock, follow, percentile, synchronize
from bench.answers.ordering.strategy import Follower, Strategy
from bench.ends.errors import RunFailed
from bench.oracle.database import connect
from metrics.records.answers import ordering as records

MARGIN_S: Final = 0.3
"""Load before and after a transaction that stands still."""

OF_THE_STORE: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What the store, or the way to it, does to a trial."""


@dataclass(frozen=True)
class Terms:
    """How long the load is, by how many writers, and for how long a transaction stands still; and what is drawn by."""

    seconds: float
    writers: int
    stall_s: float
    seed: int

    @property
    def trial_s(self) -> float:
        """What a trial takes at least."""
        return self.seconds + 2 * (self.stall_s + 2 * MARGIN_S)


@dataclass(frozen=True)
class Sides:
    """All connections of a trial: the load's, the one that stands still, the follower's, and one that observes."""

    writers: list[Writer]
    idle: Writer
    follower: Follower
    observer: asyncpg.Connection
    foreign: asyncpg.Connection


Standing = Callable[[Sides, Moments], AbstractAsyncContextManager[None]]
"""A transaction that is open until the end of the block."""


async def measure(url: str, foreign: str, strategy: Strategy, terms: Terms, number: int) -> records.Trial:
    """Run it on a fresh database that has the strategy's schema; `foreign` is another database of the cluster.

    Raises RunFailed where the store fails a writer or the follower; whatever else ends them is a defect, and is raised.
    """
    try:
        async with AsyncExitStack() as opened:
            sides, bench = await _open(url, foreign, strategy, terms, opened)
            by_hand = await interleavings.every(bench, strategy)
            order = await interleavings.order(bench, strategy)
            # What was left by hand is read before the load begins.
            await _lost(sides, Moments())
            disorder = [Random(f"{terms.seed}/{number}/{each}") for each in range(terms.writers)]
            return {
                "round": number,
                "load": await _load(sides, terms, disorder),
                "stalled_writer": await _stall(sides, terms, _stalled_writer),
                "foreign_transaction": await _stall(sides, terms, _foreign_transaction),
                "interleavings": by_hand,
                "order": order,
                "lost_share": 0.0,
            }
    except OF_THE_STORE as error:
        raise RunFailed(f"{type(error).__name__}: {error}") from error
    except ExceptionGroup as errors:
        if errors.split(OF_THE_STORE)[1] is not None:
            raise
        first = _first(errors)
        raise RunFailed(f"{type(first).__name__}: {first}") from errors


def _first(error: Exception) -> Exception:
    """Of errors of several tasks, and of their own."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


async def _open(
    url: str, foreign: str, strategy: Strategy, terms: Terms, opened: AsyncExitStack
) -> tuple[Sides, Bench]:
    async def connected(address: str = url) -> asyncpg.Connection:
        connection = await connect(address, application_name="tidemark ordering")
        opened.push_async_callback(connection.close)
        return connection

    writers = [await Writer.on(await connected(), strategy.append, f"writer {n}") for n in range(terms.writers)]
    idle = await Writer.on(await connected(), strategy.append, "stalled writer")
    observer, reader = await connected(), await connected()
    bench = Bench(await connected(), await connected(), reader, observer)
    following = await connected()
    follower = await strategy.follow(following)
    await synchronize(following)
    return Sides(writers, idle, follower, observer, await connected(foreign)), bench


async def _load(sides: Sides, terms: Terms, disorder: list[Random]) -> records.Load:
    moments = await _now(sides)
    async with _writing(sides, moments, disorder):
        began = clock()
        await asyncio.sleep(terms.seconds)
        ended = clock()
    lost = await _lost(sides, moments)
    took, lags = [length for _, length in moments.appends], moments.lags()
    within = sum(began <= at <= ended for at in moments.committed.values())
    return {
        "appends": len(moments.committed),
        "late": moments.late,
        "rolled_back": moments.rolled_back,
        "appends_per_s": round(within / (ended - began), 1),
        "append_p50_ms": _ms(percentile(took, 0.5)),
        "append_p99_ms": _ms(percentile(took, 0.99)),
        "lag_p50_ms": _ms(percentile(lags, 0.5)),
        "lag_p99_ms": _ms(percentile(lags, 0.99)),
        **_sight(moments, lost),
    }


async def _stall(sides: Sides, terms: Terms, standing: Standing) -> records.Stall:
    moments = await _now(sides)
    async with _writing(sides, moments, None):
        await asyncio.sleep(MARGIN_S)
        async with standing(sides, moments):
            began = clock()
            await asyncio.sleep(terms.stall_s)
            ended = clock()
        await asyncio.sleep(MARGIN_S)
    lost = await _lost(sides, moments)
    # What had begun before may have been committed before, and its answer come late.
    within = sum(began <= at - length and at <= ended for at, length in moments.appends)
    return {
        "appends": len(moments.committed),
        "appends_per_s": round(within / (ended - began), 1),
        "writers_s": round(max((length for at, length in moments.appends if at >= began), default=0.0), 4),
        "follower_s": round(max(moments.lags(), default=0.0), 4),
        **_sight(moments, lost),
    }


@asynccontextmanager
async def _writing(sides: Sides, moments: Moments, disorder: list[Random] | None) -> AsyncIterator[None]:
    """All writers, and the follower beside them, until the end of the block; each append is whole."""
    over, finished = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(follow(sides.follower, moments, finished))
        writing = [
            group.create_task(writer.write(moments, over, disorder[number] if disorder else None))
            for number, writer in enumerate(sides.writers)
        ]
        try:
            yield
        finally:
            over.set()
            await asyncio.wait(writing)
            finished.set()


@asynccontextmanager
async def _stalled_writer(sides: Sides, moments: Moments) -> AsyncIterator[None]:
    """One that has appended, by the protocol, and idles before its commit."""
    await sides.idle.connection.execute("BEGIN")
    position = await sides.idle.append()
    try:
        yield
    finally:
        # Whatever happened: others may wait for it.
        await sides.idle.connection.execute("COMMIT")
    moments.committed[position] = clock()


@asynccontextmanager
async def _foreign_transaction(sides: Sides, moments: Moments) -> AsyncIterator[None]:
    """One in another database that has an xid, and writes no events."""
    await sides.foreign.execute("BEGIN")
    await sides.foreign.fetchval("SELECT pg_current_xact_id()::text")
    yield
    await sides.foreign.execute("COMMIT")


async def _now(sides: Sides) -> Moments:
    """Those of a phase that begins now."""
    return Moments(before=await sides.observer.fetchval("SELECT coalesce(max(position), 0) FROM events"))


async def _lost(sides: Sides, moments: Moments) -> int:
    """Read to the end; how many events of this phase the follower never saw."""
    rows = await sides.observer.fetch("SELECT position FROM events WHERE position > $1", moments.before)
    there = {row["position"] for row in rows}
    await catch_up(sides.follower, moments, sides.observer, lambda: not there <= moments.seen.keys())
    return len(there - moments.seen.keys())


def _sight(moments: Moments, lost: int) -> records.Sight:
    return {"seen": len(moments.seen), "lost": lost, "doubled": moments.doubled}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
