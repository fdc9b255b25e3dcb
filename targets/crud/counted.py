"""Counts at no cost: what one process writes it counts as it goes, from what the table had when it began.

/stats must tell exact counts at any size. Counting 100,000 rows for each call would be the load by itself, and a row of
counters beside the table would make each write two. So the counts are in memory, as long as they are sure: they begin
with those of the table, and once a write has ended without an answer, the table is counted for each call.

For the only process that writes: with several, the table is to be asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventstore.errors import StoreBusy, StoreUnavailable
from services.api.http.bodies import TodoDocument
from targets.crud.table import Counts, Todos


class CountedTodos:
    """Todos that are counted as they are written; else as what stands behind."""

    def __init__(self, todos: Todos) -> None:
        self._todos: Final = todos
        self._turn: Final = asyncio.Lock()
        self._begun = False
        self._sure = True
        self._writes = self._created = self._deleted = 0

    async def create(self, id: str, text: str) -> None:
        """As behind it, and counted."""
        await self._begin()
        with self._doubting():
            await self._todos.create(id, text)
        self._writes += 1
        self._created += 1

    async def update(self, id: str, text: str, expected: int | None) -> int | None:
        """As behind it, and counted."""
        await self._begin()
        with self._doubting():
            version = await self._todos.update(id, text, expected)
        self._writes += version is not None
        return version

    async def delete(self, id: str, expected: int | None) -> int | None:
        """As behind it, and counted."""
        await self._begin()
        with self._doubting():
            version = await self._todos.delete(id, expected)
        self._writes += version is not None
        self._deleted += version is not None
        return version

    async def find(self, id: str) -> TodoDocument | None:
        """As behind it."""
        return await self._todos.find(id)

    async def version(self, id: str) -> int | None:
        """As behind it."""
        return await self._todos.version(id)

    async def page(self, after: str, limit: int) -> list[TodoDocument]:
        """As behind it."""
        return await self._todos.page(after, limit)

    async def counts(self) -> Counts:
        """From memory, while that is sure."""
        await self._begin()
        if not self._sure:
            return await self._todos.counts()
        return Counts(self._writes, self._created, self._deleted)

    async def check(self) -> None:
        """As behind it."""
        await self._todos.check()

    async def _begin(self) -> None:
        """Count the table before the first write of this process, once. Raises what that raises."""
        if self._begun:
            return
        async with self._turn:
            if not self._begun:
                found = await self._todos.counts()
                self._writes, self._created, self._deleted = found.writes, found.created, found.deleted
                self._begun = True

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """A write without an answer, or that is interrupted, may have been committed: memory is not sure any more."""
        try:
            yield
        except StoreBusy:
            raise
        except (StoreUnavailable, asyncio.CancelledError):
            self._sure = False
            raise
