"""A store on a fresh database, and bare connections for whoever writes past it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from eventstore.postgres import Database, PostgresEventStore
from tests.cluster import Cluster

Connect = Callable[[], Awaitable[asyncpg.Connection]]


@pytest.fixture
async def url(cluster: Cluster) -> AsyncIterator[str]:
    """The address of a fresh, migrated database."""
    async with cluster.database() as url:
        yield url


@pytest.fixture
def cluster_url(cluster: Cluster) -> str:
    """The address of another database of the same server."""
    return cluster.server.url()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database(url, pool_size=4) as database:
        yield database


@pytest.fixture
async def store(database: Database) -> AsyncIterator[PostgresEventStore]:
    store = PostgresEventStore(database)
    yield store
    await store.close()


@pytest.fixture
async def connect(url: str) -> AsyncIterator[Connect]:
    """Opens bare connections, cut at the end whatever they do."""
    opened: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        opened.append(await asyncpg.connect(url))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.terminate()
