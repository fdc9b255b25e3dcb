"""The implementations under contract: each test of this folder runs once with every one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from eventstore.contract import EventStore, Leases
from eventstore.memory import MemoryEventStore, MemoryLeases
from eventstore.postgres import Database, PostgresEventStore, PostgresLeases
from tests.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Backend:
    """One implementation: a store, its leases, and a second store on the same data (another process, as it were)."""

    store: EventStore
    leases: Leases
    neighbor: EventStore


@asynccontextmanager
async def memory() -> AsyncIterator[Backend]:
    store = MemoryEventStore()
    yield Backend(store, MemoryLeases(store), store)


@asynccontextmanager
async def postgres(cluster: Cluster) -> AsyncIterator[Backend]:
    async with cluster.database() as url, Database(url, pool_size=4) as db, Database(url, pool_size=4) as other:
        store, neighbor = PostgresEventStore(db), PostgresEventStore(other)
        await store.start()
        await neighbor.start()
        try:
            yield Backend(store, PostgresLeases(db), neighbor)
        finally:
            await neighbor.close()
            await store.close()


@pytest.fixture(params=["memory", "postgres"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A fresh, empty implementation."""
    opened = memory() if request.param == "memory" else postgres(request.getfixturevalue("cluster"))
    async with opened as backend:
        yield backend


@pytest.fixture
def store(backend: Backend) -> EventStore:
    return backend.store


@pytest.fixture
def neighbor(backend: Backend) -> EventStore:
    return backend.neighbor


@pytest.fixture
def leases(backend: Backend) -> Leases:
    return backend.leases
