"""What chance plays on: an event loop and a database that all examples of a test share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest

from eventstore.connection.database import Database
from tests.cluster import PATIENT, Cluster

T = TypeVar("T")


class Stage:
    """The databases and the event loop that all examples share."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.one, self.other = self.run(self._open(url))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self.runner.close()

    async def _open(self, url: str) -> tuple[Database, Database]:
        opened = [await self._stack.enter_async_context(Database(url, pool_size=4, bounds=PATIENT)) for _ in range(2)]
        return opened[0], opened[1]


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[Stage]:
    stage = Stage(cluster.create())
    yield stage
    stage.close()
