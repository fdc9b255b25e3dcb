"""A Postgres server that is asked beside a run, by a connection of its own; after no answer, by a new one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import asyncpg

from bench.oracle.database import connect
from bench.trial.resources import server
from bench.trial.resources.server import Counters, Told
from metrics.records.sections.resources import Table
from settings.hiding import hide

ANSWER_S: Final = 2.0
NAME: Final = "bench-resources"
TROUBLES: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
    ValueError,
)
HIDDEN: Final = "its login may not see what other sessions do (pg_read_all_stats)"


class Asked:
    """The server at `url`, called `name` in what is said of it, empty where it is the only one. It raises nothing."""

    def __init__(self, url: str, name: str = "") -> None:
        self._url, self._name = url, name
        self._connection: asyncpg.Connection | None = None
        self._labels: dict[int, str] = {}
        self._waits: Counter[str] = Counter()
        self._looks = 0
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why something is lacking, the latest; without secrets."""
        return f"{self._name}: {self._trouble}" if self._name and self._trouble else self._trouble

    async def look(self) -> None:
        """Look at its backends once."""
        await self._ask(self._look)

    async def told(self) -> Told:
        """Its counters now, and what the looks since the last time have seen."""
        counters: Counters | None = await self._ask(server.counters)
        found = Told(counters, self._looks, dict(self._waits), dict(self._labels))
        self._waits, self._looks = Counter(), 0
        return found

    async def tables(self) -> dict[str, Table]:
        """Its tables; nothing without an answer."""
        found: dict[str, Table] | None = await self._ask(server.tables)
        return found or {}

    def close(self) -> None:
        """Break the connection off."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _ask(self, question: Callable[[asyncpg.Connection], Any]) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._connection is None:
                    self._connection = await connect(self._url, application_name=NAME)
                return await question(self._connection)
        except TROUBLES as error:
            self._trouble = f"Postgres was not asked: {hide(str(error), self._url) or type(error).__name__}"
            self.close()
            return None

    async def _look(self, connection: asyncpg.Connection) -> None:
        rows = await server.activity(connection)
        self._labels = {row["pid"]: server.label(row) for row in rows} | {connection.get_server_pid(): "bench"}
        self._waits += server.waits(rows)
        self._looks += 1
        if any(row["backend_type"] is None for row in rows):
            self._trouble = HIDDEN
