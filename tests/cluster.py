"""One throw-away Postgres for a test run, a migrated template in it, and a fresh database for whoever asks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Final, Self

from bench.platforms.postgres.cluster import USER
from bench.platforms.postgres.cluster import Cluster as Server
from eventstore.connection.bounds import Bounds
from eventstore.connection.planner import ROLES
from migrations.__main__ import migrate
from migrations.roles.apply import apply

TEMPLATE: Final = "migrated"
SETTINGS: Final = {
    "max_connections": "200",
    "max_prepared_transactions": "2",
    # Tests log in tens of thousands of times, and a password costs a millisecond of work each time.
    "scram_iterations": "1",
    # There are hundreds of databases, each gone before it would need it.
    "autovacuum_naptime": "1h",
}
PASSWORD: Final = "of-a-role"
PATIENT: Final = Bounds(connect=20.0)
"""Of a test that is not about bounds: the machine may be busy with others, and a connection takes its time there."""
PATIENCE: Final = {"STORE_CONNECT_TIMEOUT_MS": "20000"}
"""The same for a process."""


def as_role(role: str, url: str) -> str:
    """The same database for one of our roles: `api`, `projector`, `operator`, `oracle`."""
    _, _, place = url.rpartition("@")
    return f"postgresql://tidemark_{role}:{PASSWORD}@{place}"


class Cluster:
    """A running server. Every database is a copy of the migrated template, which costs some 50 ms.

    The roles are made in the template, so they have their rights in every copy.
    """

    def __init__(self, server: Server) -> None:
        self.server: Final = server
        self._numbers = itertools.count(1)

    @classmethod
    @contextmanager
    def throwaway(cls, **settings: str) -> Iterator[Self]:
        """Start a server with the test profile (nothing is synced), gone at the end of the block."""
        wanted = {**SETTINGS, **settings}
        with Server.throwaway("test", settings=wanted) as server:
            # In a thread, because an asynchronous fixture may be the first to ask, inside a running event loop.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, prepare(server.create_database(TEMPLATE))).result()
            # Made when the server, or who makes roles, took the iterations that it always takes.
            for role, password in {USER: server.password, **dict.fromkeys(ROLES, PASSWORD)}.items():
                server.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
            yield cls(server)

    def create(self, *, migrated: bool = True) -> str:
        """A fresh database that lives as long as the server; returns its address."""
        return self.server.create_database(f"test_{next(self._numbers)}", TEMPLATE if migrated else None)

    @asynccontextmanager
    async def database(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """A fresh database, dropped at the end of the block with all connections to it."""
        url = self.create(migrated=migrated)
        try:
            yield url
        finally:
            self.server.drop_database(url.rpartition("/")[2])


async def prepare(url: str) -> None:
    """Migrate a database, and make the roles, with `PASSWORD`."""
    await migrate(url)
    await apply(url, dict.fromkeys(ROLES, PASSWORD))
