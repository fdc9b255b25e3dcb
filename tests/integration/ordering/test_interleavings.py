"""The silent skip by hand, against every visibility strategy: the control loses the event, and no other does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

import asyncpg
import pytest

from bench.answers.ordering import judge, strategies
from bench.answers.ordering.interleavings import Bench, Recorded, append, every, interleave, order
from bench.answers.ordering.load import Moments, catch_up
from bench.answers.ordering.strategies import gap_detector, watermark, xid_below_xmin
from bench.answers.ordering.strategies.gap_detector import LIVING, OverGaps
from bench.answers.ordering.strategy import BARE, NEXT, UP_TO, Follower, Seen, Strategy, events
from bench.oracle.database import connect
from metrics.records.answers.ordering import Skipping
from tests.cluster import Cluster

ALL: Final = strategies.load()
SKIPPING: Final[dict[str, Skipping]] = {
    "advisory-lock": "lost",
    "counter-row": "refused",
    "gap-detector": "covered",
    "lock-barrier": "lost",
    "naive": "lost",
    "table-lock": "lost where both skip",
    "watermark": "covered",
    "xid-below-xmin": "covered",
}
TAKING_TURNS: Final = {"advisory-lock", "counter-row", "table-lock"}


@asynccontextmanager
async def bench(cluster: Cluster, strategy: Strategy) -> AsyncIterator[Bench]:
    async with cluster.database() as url, AsyncExitStack() as opened:
        connections = []
        for _ in range(4):
            connections.append(await connect(url))
            opened.push_async_callback(connections[-1].close)
        for statement in strategy.schema:
            await connections[0].execute(statement)
        yield Bench(*connections)


@pytest.mark.parametrize("name", ALL)
async def test_the_event_that_commits_late_is_seen_but_by_the_control(cluster: Cluster, name: str) -> None:
    async with bench(cluster, ALL[name]) as on:
        found = await every(on, ALL[name])
        versions = await order(on, ALL[name])
    kept = found[0]
    assert (kept["first"], kept["second"]) == ("protocol", "protocol")
    assert kept["outcome"] == ("lost" if name == "naive" else "seen")
    assert kept["waited"] == (name in TAKING_TURNS)
    assert judge.skipping(found) == SKIPPING[name]
    assert versions == ("inverted" if name == "xid-below-xmin" else "kept")


async def without_a_look(connection: asyncpg.Connection) -> Follower:
    """A gap detector that gives up a gap without a look at who lives, as one does whose time is over."""
    statements = (NEXT, UP_TO, LIVING, "SELECT $1::text[] IS NULL")
    return OverGaps(*[await connection.prepare(statement) for statement in statements])


@pytest.mark.parametrize(
    "broken",
    [replace(gap_detector.STRATEGY, follow=without_a_look), replace(watermark.STRATEGY, schema=BARE)],
    ids=["gap detector without its look at the locks", "watermark without its triggers"],
)
async def test_a_strategy_without_what_protects_it_loses_the_event(cluster: Cluster, broken: Strategy) -> None:
    async with bench(cluster, broken) as on:
        found = await interleave(on, broken, "protocol", "protocol")
    assert found["outcome"] == "lost"


class ByPositionAlone:
    """Below the horizon, as it must be, but with a cursor that is the position."""

    def __init__(self, page: Any) -> None:
        self._page, self._cursor = page, 0

    async def read(self) -> Sequence[Seen]:
        found = events(await self._page.fetch(self._cursor))
        self._cursor = max([self._cursor, *(event.position for event in found)])
        return found


def incomplete(moments: Moments, there: set[int]) -> bool:
    return not there <= moments.seen.keys()


BELOW: Final = """
SELECT position, stream, version FROM events
 WHERE position > $1 AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY position
"""


async def test_the_cursor_below_the_horizon_must_be_the_pair(cluster: Cluster) -> None:
    """The older transaction takes the later position, and commits first."""
    strategy = xid_below_xmin.STRATEGY
    async with bench(cluster, strategy) as on:
        alone = Recorded(ByPositionAlone(await on.reader.prepare(BELOW)))
        pair = Recorded(await strategy.follow(on.reader))
        await on.first.execute("BEGIN")
        await on.first.fetchval("SELECT pg_current_xact_id()::text")
        await on.second.execute("BEGIN")
        early = await append(on.second, strategy.append, "of the younger transaction", 1)
        late = await append(on.first, strategy.append, "of the older transaction", 1)
        assert early < late
        await on.first.execute("COMMIT")
        for follower in (alone, pair):
            await follower.read()
        await on.second.execute("COMMIT")
        for follower in (alone, pair):
            moments = Moments()
            moments.seen.update({event.position: 0.0 for event in follower.events})
            await catch_up(follower, moments, on.observer, partial(incomplete, moments, {early, late}))
    assert [event.position for event in alone.events] == [late]
    assert [event.position for event in pair.events] == [late, early]


async def test_a_prepared_transaction_is_waited_for_by_the_gap_detector(cluster: Cluster) -> None:
    """It has no process, and its locks another name than those of the transaction that it was."""
    strategy = gap_detector.STRATEGY
    async with bench(cluster, strategy) as on:
        follower = Recorded(await strategy.follow(on.reader))
        await on.first.execute("BEGIN")
        early = await append(on.first, strategy.append, "prepared", 1)
        late = await append(on.second, strategy.append, "plain", 1)
        await follower.read()
        await on.first.execute("PREPARE TRANSACTION 'early'")
        for _ in range(3):
            assert await follower.read() == ()
        await on.first.execute("COMMIT PREPARED 'early'")
        await follower.read()
    assert [event.position for event in follower.events] == [early, late]
