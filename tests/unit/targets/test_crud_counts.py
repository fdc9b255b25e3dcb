"""Counts of target `crud`: from memory as long as they are sure, and from the table once a write had no answer."""

from __future__ import annotations

import asyncio

import pytest

from eventstore.errors import NoAnswerInTime, StoreBusy, StoreUnavailable
from services.api.http.bodies import TodoDocument
from targets.crud.counted import CountedTodos
from targets.crud.table import Counts


class Behind:
    """A table of one todo that had 5 writes; `fails` is what a write raises after it was committed or not."""

    def __init__(self) -> None:
        self.asked = 0
        self.writes = 5
        self.fails: BaseException | None = None
        self.version_: int | None = 2

    async def create(self, id: str, text: str) -> None:
        await self.update(id, text, None)

    async def update(self, id: str, text: str, expected: int | None) -> int | None:
        if not isinstance(self.fails, StoreBusy) and self.version_ is not None:
            self.writes += 1
        if self.fails:
            raise self.fails
        return self.version_

    async def delete(self, id: str, expected: int | None) -> int | None:
        return await self.update(id, "", expected)

    async def find(self, id: str) -> TodoDocument | None:
        return None

    async def version(self, id: str) -> int | None:
        return self.version_

    async def page(self, after: str, limit: int) -> list[TodoDocument]:
        return []

    async def counts(self) -> Counts:
        self.asked += 1
        return Counts(self.writes, 3, 1)

    async def check(self) -> None:
        return None


async def test_they_begin_with_the_table_and_go_on_from_memory() -> None:
    behind = Behind()
    todos = CountedTodos(behind)
    await asyncio.gather(todos.create("a", "x"), todos.update("a", "y", None), todos.delete("a", None))
    assert await todos.counts() == Counts(8, 4, 2)
    assert behind.asked == 1


async def test_a_write_that_met_no_row_does_not_count() -> None:
    behind = Behind()
    behind.version_ = None
    todos = CountedTodos(behind)
    assert await todos.update("a", "y", 7) is None
    assert await todos.delete("a", 7) is None
    assert await todos.counts() == Counts(5, 3, 1)


@pytest.mark.parametrize("error", [NoAnswerInTime("late"), StoreUnavailable("away"), asyncio.CancelledError()])
async def test_after_a_write_without_an_answer_the_table_is_asked(error: BaseException) -> None:
    behind = Behind()
    todos = CountedTodos(behind)
    behind.fails = error
    with pytest.raises(type(error)):
        await todos.update("a", "y", None)
    behind.fails = None
    assert await todos.counts() == Counts(6, 3, 1)
    await todos.update("a", "z", None)
    assert await todos.counts() == Counts(7, 3, 1)


async def test_after_a_write_that_was_refused_memory_is_sure() -> None:
    behind = Behind()
    todos = CountedTodos(behind)
    behind.fails = StoreBusy("a lock")
    with pytest.raises(StoreBusy):
        await todos.update("a", "y", None)
    assert await todos.counts() == Counts(5, 3, 1)
    assert behind.asked == 1


async def test_a_table_that_is_away_at_first_is_asked_again() -> None:
    class Away(Behind):
        async def counts(self) -> Counts:
            found = await super().counts()
            if self.asked == 1:
                raise StoreUnavailable("away")
            return found

    todos = CountedTodos(Away())
    with pytest.raises(StoreUnavailable):
        await todos.create("a", "x")
    await todos.create("a", "x")
    assert await todos.counts() == Counts(6, 4, 1)
