"""What a read of a todo may cost, in statements and buffers: no clock is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from eventstore.postgres import Database
from services.api.reading.batch_loader import BatchLoader
from tests.perf_guard.counting import Counter
from todo.handler import new_todo_id
from todo.read_models.todos import Todo, get_todos

READ = "FROM todos"
ROWS = """
INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
SELECT 'todo-' || n, 'milk', now(), now(), 1, false, 1 FROM generate_series(1, 30000) AS n
"""


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database(url) as database:
        await get_todos(database, ["todo-1"])
        yield database


async def test_a_read_is_one_statement_along_the_key(database: Database, counter: Counter) -> None:
    await counter.run(ROWS)
    await counter.reset()
    for n in range(1, 11):
        assert await get_todos(database, [f"todo-{n}"])
    counts = await counter.read()
    assert counts.statements == counts.of(READ) == 10
    assert counts.touched(READ) <= 5


async def test_reads_at_once_share_statements(database: Database, counter: Counter) -> None:
    find: BatchLoader[str, Todo] = BatchLoader(partial(get_todos, database))
    await counter.reset()
    await asyncio.gather(*(find(new_todo_id()) for _ in range(200)))
    # One for whoever comes first on each lane, and one for all who came meanwhile on each lane that is free again.
    assert 1 <= (await counter.read()).statements <= 4
