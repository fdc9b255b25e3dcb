"""A store on a fresh database, and bare connections for whoever writes past it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from eventstore.postgres import Database, PostgresEventStore
from tests.cluster import PATIENT, Cluster
from tests.emptied import empty

Connect = Callable[[], Awaitable[asyncpg.Connection]]


@pytest.fixture(scope="session")
def shared_url(cluster: Cluster) -> str:
    """One database for most tests of this folder, emptied for each."""
    return cluster.create()


@pytest.fixture
def own_database() -> None:
    """To be asked for by a test that changes the schema."""


@pytest.fixture
async def url(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[str]:
    """The address of an empty, migrated database."""
    if "own_database" in request.fixturenames:
        async with cluster.database() as own:
            yield own
        return
    shared: str = request.getfixturevalue("shared_url")
    async with Database(shared, pool_size=1, bounds=PATIENT) as database:
        await empty(database)
    yield shared


@pytest.fixture
def cluster_url(cluster: Cluster) -> str:
    """The address of another database of the same server."""
    return cluster.server.url()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database(url, pool_size=4, bounds=PATIENT) as database:
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
