"""What is written is told to the projectors: in the commit of an append, or soon after it, and never not at all."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import Any

import pytest

from eventstore.connection.database import Database
from eventstore.connection.wakeup import CHANNEL, Notifier
from eventstore.errors import VersionConflict
from eventstore.events import NO_STREAM, ExpectedVersion, IdempotencyKey, NewEvent
from eventstore.postgres import PostgresEventStore
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import BOUND_S, until, waits_for_lock

EVENT = NewEvent("A", {})

Heard = asyncio.Queue[str]


@pytest.fixture
async def heard(connect: Connect) -> Heard:
    """The payload of each notification from now on."""
    payloads = Heard()
    await (await connect()).add_listener(CHANNEL, lambda *heard_of: payloads.put_nowait(heard_of[3]))
    return payloads


async def test_a_notification_comes_with_what_was_written(database: Database, connect: Connect, heard: Heard) -> None:
    watcher = await connect()
    store = PostgresEventStore(database, notifier=Notifier(database, interval=0.0))
    for expected, key in ((0, None), (1, None), (2, IdempotencyKey("k", "body"))):
        await store.append("s", [EVENT], expected=ExpectedVersion(expected), key=key)
        async with asyncio.timeout(BOUND_S):
            assert await heard.get() == ""
    await asyncio.gather(*(store.append(f"s{n}", [EVENT], expected=NO_STREAM) for n in range(20)))
    async with asyncio.timeout(BOUND_S):
        assert await heard.get() == ""
    alone = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'NOTIFY%' AND datname = current_database()"
    assert await watcher.fetchval(alone) == 0
    await store.close()


async def test_what_was_written_since_the_last_notification_is_told_by_one_on_its_own(
    database: Database, heard: Heard
) -> None:
    store = PostgresEventStore(database, notifier=Notifier(database, interval=0.05))
    for version in range(2):
        await store.append("s", [EVENT], expected=ExpectedVersion(version))
    async with asyncio.timeout(BOUND_S):
        assert [await heard.get(), await heard.get()] == ["", ""]
    with pytest.raises(VersionConflict):
        await store.append("s", [EVENT], expected=ExpectedVersion(7))
    await store.close()


async def test_a_conflict_takes_no_hint_away(database: Database, heard: Heard) -> None:
    """Where a statement writes nothing, its notification may not have gone out."""
    store = PostgresEventStore(database, notifier=Notifier(database, interval=0.1, slack=0.1))
    for version in range(2):
        await store.append("s", [EVENT], expected=ExpectedVersion(version))
    await asyncio.sleep(0.11)
    with pytest.raises(VersionConflict):
        await store.append("s", [EVENT], expected=ExpectedVersion(7))
    async with asyncio.timeout(BOUND_S):
        assert [await heard.get(), await heard.get()] == ["", ""]
    await store.close()


async def test_an_append_that_is_cut_off_is_told_as_it_may_have_been_written(
    database: Database, connect: Connect, heard: Heard
) -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    store = PostgresEventStore(database, notifier=Notifier(database, interval=0.0))
    await store.append("first", [EVENT], expected=NO_STREAM)
    async with asyncio.timeout(BOUND_S):
        await heard.get()
    holder = await connect()
    await holder.execute("BEGIN; INSERT INTO streams (stream, version) VALUES ('s', 0)")
    caller = asyncio.create_task(store.append("s", [EVENT], expected=NO_STREAM))
    await until(await connect(), waits_for_lock("tidemark"))
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    async with asyncio.timeout(BOUND_S):
        await heard.get()
    await holder.execute("ROLLBACK")
    await store.close()
    del caller
    gc.collect()
    assert not reports
