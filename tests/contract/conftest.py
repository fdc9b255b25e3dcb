"""The implementations under contract: each test of this folder runs once with every one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pytest
from sqlalchemy import text

from eventstore.append.statements import NAMES, Name
from eventstore.connection.database import Statement
from eventstore.contract import EventStore
from eventstore.memory import MemoryEventStore
from eventstore.postgres import Database, PostgresEventStore
from projection.leases.contract import Leases
from projection.leases.memory import MemoryLeases
from projection.leases.streams import PostgresLeases
from tests.cluster import PATIENT, Cluster
from tests.emptied import empty


class SetAside(Protocol):
    """Leave a stream as a projector does that failed on it: blocked, or not to be tried before `retry_at`."""

    async def __call__(self, stream: str, *, blocked: bool = False, retry_at: datetime | None = None) -> None: ...


SET_ASIDE = Statement(
    text("""
UPDATE streams
   SET retry_at = :retry_at ::timestamptz, blocked_at = CASE WHEN :blocked ::bool THEN clock_timestamp() END
 WHERE stream = :stream
""")
)


@dataclass(frozen=True, slots=True)
class Backend:
    """One implementation: a store, its leases, and a second store on the same data (another process, as it were)."""

    store: EventStore
    leases: Leases
    neighbor: EventStore
    set_aside: SetAside


@asynccontextmanager
async def memory() -> AsyncIterator[Backend]:
    store = MemoryEventStore()
    leases = MemoryLeases(store)

    async def set_aside(stream: str, *, blocked: bool = False, retry_at: datetime | None = None) -> None:
        leases.set_aside(stream, blocked=blocked, retry_at=retry_at)

    yield Backend(store, leases, store, set_aside)


@pytest.fixture(scope="session")
def shared_url(cluster: Cluster) -> str:
    """One database for all tests of the contract, emptied for each."""
    return cluster.create()


@asynccontextmanager
async def postgres(url: str, leanest: Name) -> AsyncIterator[Backend]:
    async with Database(url, pool_size=4, bounds=PATIENT) as db, Database(url, pool_size=4, bounds=PATIENT) as other:
        await empty(db)
        store, neighbor = PostgresEventStore(db, leanest=leanest), PostgresEventStore(other, leanest=leanest)

        async def set_aside(stream: str, *, blocked: bool = False, retry_at: datetime | None = None) -> None:
            await db.fetch(SET_ASIDE, stream=stream, blocked=blocked, retry_at=retry_at)

        try:
            yield Backend(store, PostgresLeases(db), neighbor, set_aside)
            # No leaner one was sent than the run is for.
            assert not any(store.statements[name] for name in NAMES[: NAMES.index(leanest)])
        finally:
            await neighbor.close()
            await store.close()


@pytest.fixture(params=["memory", *NAMES], ids=["memory", *(f"postgres-{name}" for name in NAMES)])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A fresh, empty implementation; Postgres once for each append statement."""
    opened = memory() if request.param == "memory" else postgres(request.getfixturevalue("shared_url"), request.param)
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


@pytest.fixture
def set_aside(backend: Backend) -> SetAside:
    return backend.set_aside
