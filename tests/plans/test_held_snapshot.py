"""What an old snapshot costs: each claim reads past the index entries of all that was projected since it began.

The index of pending work has an entry for each time that a stream was pending. Those that are over are dead, and a scan
that meets one marks it, so that the next passes it by; but not while some snapshot could still see it. So long the cost
of a claim grows with what was projected, without a bound. It is over with the first commit after the snapshot's end;
`eventstore.visibility.holders` tells whose it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest

from eventstore.connection.planner import PROJECTOR
from projection.leases.streams import CLAIM
from tests.cluster import Cluster
from tests.plans.conftest import QUIET
from tests.plans.explain import Plan, explain

STREAMS = 2_000
FILL = f"INSERT INTO streams (stream, version, projected) SELECT 's' || n, 1, 1 FROM generate_series(1, {STREAMS}) n"
FREE = 100
"""Pages of a claim that finds nothing, whatever was projected before."""
EACH = 20
"""Dead entries that cost a claim one page more, at the least; some 34 rows of `streams` lie on one, in their order."""


@dataclass(frozen=True)
class Store:
    """A projector's connection to streams that are caught up, each statement in a transaction of its own."""

    url: str
    connection: asyncpg.Connection

    async def project(self) -> None:
        """Have each stream appended to, and projected."""
        await self.connection.execute("UPDATE streams SET version = version + 1, pending_since = clock_timestamp()")
        await self.connection.execute("UPDATE streams SET projected = version, pending_since = NULL")

    async def claim(self) -> Plan:
        """A claim that finds nothing. It runs twice, and the first marks the entries that it may."""
        async with self.connection.transaction():
            return await explain(
                self.connection, CLAIM, generic=True, holder="p", limit=10, ttl=timedelta(seconds=5), now=None
            )


@pytest.fixture
async def store(cluster: Cluster) -> AsyncIterator[Store]:
    async with cluster.database() as url:
        connection = await asyncpg.connect(url, server_settings=dict(PROJECTOR))
        await connection.execute(QUIET)
        await connection.execute(FILL)
        await connection.execute("VACUUM ANALYZE streams")
        yield Store(url, connection)
        await connection.close()


@asynccontextmanager
async def snapshot(store: Store) -> AsyncIterator[None]:
    """Until the block ends, another session has an old one."""
    idle = await asyncpg.connect(store.url)
    await idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await idle.execute("SELECT FROM streams LIMIT 1")
    yield
    pid = idle.get_server_pid()
    await idle.close()
    # The server's process ends a moment after its connection.
    while await store.connection.fetchval("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_without_one_the_cost_of_a_claim_stays(store: Store) -> None:
    for _ in range(6):
        await store.project()
        assert (plan := await store.claim()).pages <= FREE, plan.describe()


async def test_an_old_snapshot_makes_each_claim_cost_what_was_projected_since(store: Store) -> None:
    pages = []
    async with snapshot(store):
        for _ in range(6):
            await store.project()
            pages.append((await store.claim()).pages)
        assert pages == sorted(pages)
        assert pages[-1] > 2 * FREE, "it has been bounded: say so where it is said that it is not"
        for rounds, each in enumerate(pages, 1):
            assert each <= FREE + rounds * STREAMS / EACH, f"{pages}: worse than it is said to be"

    await store.connection.execute("UPDATE streams SET version = version WHERE stream = 's1'")
    assert (plan := await store.claim()).pages <= FREE, plan.describe()
