"""A Postgres that counts statements, and a fresh database in it for each test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from bench.platforms.postgres.cluster import Cluster
from migrations.__main__ import migrate
from tests.perf_guard.counting import Counter

TEMPLATE = "counted"


@pytest.fixture(scope="session")
def counting_cluster() -> Iterator[Cluster]:
    """A cluster of its own, because the counting is loaded when the server starts."""
    settings = {"shared_preload_libraries": "pg_stat_statements", "autovacuum": "off"}
    with Cluster.throwaway("test", settings=settings) as server:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, migrate(server.create_database(TEMPLATE))).result()
        server.execute("CREATE EXTENSION pg_stat_statements", TEMPLATE)
        yield server


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Names for databases."""
    return itertools.count(1)


@pytest.fixture
def url(counting_cluster: Cluster, numbers: Iterator[int]) -> Iterator[str]:
    """A fresh, migrated database."""
    name = f"counted_{next(numbers)}"
    yield counting_cluster.create_database(name, TEMPLATE)
    counting_cluster.drop_database(name)


@pytest.fixture
async def counter(url: str) -> AsyncIterator[Counter]:
    """The counter of the test's database."""
    connection = await asyncpg.connect(url)
    yield Counter(connection)
    await connection.close()
