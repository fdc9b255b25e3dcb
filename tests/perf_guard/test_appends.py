"""What an append and an action may cost, in statements: no clock is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from eventstore.events import ExpectedVersion, NewEvent
from eventstore.postgres import Database, PostgresEventStore
from tests.perf_guard.counting import Counter
from todo.commands import CreateTodo, DeleteTodo, UpdateTodo
from todo.handler import TodoHandler, new_todo_id

APPEND = "INSERT INTO events"
EVENT = NewEvent("TodoCreated", {"text": "milk"})


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database(url) as database:
        yield database


@pytest.fixture
async def store(database: Database) -> AsyncIterator[PostgresEventStore]:
    store = PostgresEventStore(database)
    await store.append("warm-up", [EVENT], expected=ExpectedVersion(0))
    yield store
    await store.close()


async def test_an_append_is_one_statement(store: PostgresEventStore, counter: Counter) -> None:
    await counter.reset()
    for version in range(20):
        await store.append("s", [EVENT, EVENT], expected=ExpectedVersion(version * 2))
    counts = await counter.read()
    assert counts.of(APPEND) == 20
    assert counts.statements == 20


async def test_appends_at_once_share_statements(store: PostgresEventStore, counter: Counter) -> None:
    await counter.reset()
    await asyncio.gather(*(store.append(f"s-{n}", [EVENT], expected=ExpectedVersion(0)) for n in range(200)))
    counts = await counter.read()
    # One for whoever comes first on each lane, and one for all who came meanwhile on each lane that is free again.
    assert 1 <= counts.statements == counts.of(APPEND) <= 4


async def test_an_action_on_a_known_todo_is_one_statement(store: PostgresEventStore, counter: Counter) -> None:
    handler = TodoHandler(store)
    await counter.reset()
    for _ in range(10):
        id = new_todo_id()
        await handler.handle(id, CreateTodo("milk"))
        await handler.handle(id, UpdateTodo("bread"))
        await handler.handle(id, DeleteTodo())
    counts = await counter.read()
    assert counts.statements == counts.of(APPEND) == 30


async def test_an_action_on_an_unknown_todo_reads_it_once(store: PostgresEventStore, counter: Counter) -> None:
    ids = [new_todo_id() for _ in range(10)]
    await asyncio.gather(*(TodoHandler(store).handle(id, CreateTodo("milk")) for id in ids))
    other = TodoHandler(store)
    await counter.reset()
    for id in ids:
        await other.handle(id, UpdateTodo("bread"))
    counts = await counter.read()
    assert counts.of(APPEND) == 10
    assert counts.statements == 20


async def test_the_buffers_of_an_append_do_not_grow_with_the_store(store: PostgresEventStore, counter: Counter) -> None:
    async def buffers(prefix: str) -> float:
        await counter.reset()
        for n in range(20):
            await store.append(f"{prefix}-{n}", [EVENT], expected=ExpectedVersion(0))
        return (await counter.read()).touched(APPEND)

    small = await buffers("small")
    await counter.run(
        "INSERT INTO events (stream, version, type, data)"
        " SELECT 'old-' || n, 1, 'TodoCreated', '{\"text\": \"milk\"}' FROM generate_series(1, 30000) AS n"
    )
    await counter.run(
        "INSERT INTO streams (stream, version, projected) SELECT 'old-' || n, 1, 1 FROM generate_series(1, 30000) AS n"
    )
    # Two more levels in each of the three indexes, looked up and written, and a little for pages that are split.
    assert await buffers("large") <= small + 20
