"""A session that listens, and then pauses within a transaction, fills the server's queue of notifications for all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from eventstore.connection.database import Database
from eventstore.connection.wakeup import Notifier
from eventstore.events import NO_STREAM, ExpectedVersion, IdempotencyKey, NewEvent
from eventstore.postgres import PostgresEventStore
from tests.cluster import Cluster
from tests.integration.projector.process import run

EVENT = NewEvent("A", {})
SMALLEST = {"max_notify_queue_pages": "64"}


@pytest.fixture
async def full() -> AsyncIterator[str]:
    """A database of a server whose queue is full."""
    with Cluster.throwaway(**SMALLEST) as cluster:
        url = cluster.create()
        sleeper, sender = await asyncpg.connect(url), await asyncpg.connect(url)
        await sleeper.execute("LISTEN a")
        await sleeper.execute("BEGIN; SELECT 1")
        with pytest.raises(asyncpg.ProgramLimitExceededError, match="NOTIFY queue"):
            await fill(sender)
        yield url
        await sleeper.close()
        await sender.close()


async def fill(sender: asyncpg.Connection) -> None:
    for number in range(200):
        await sender.execute(f"SELECT pg_notify('a', repeat('x', 7000) || '{number}')")


async def test_an_append_is_written_without_its_notification(full: str) -> None:
    """Alone, with a key, and in company: no event is refused for it."""
    async with Database(full) as database:
        notifier = Notifier(database, interval=0.0)
        store = PostgresEventStore(database, notifier=notifier)
        for expected, key in ((0, None), (1, None), (2, IdempotencyKey("k", "body"))):
            appended = await store.append("s", [EVENT], expected=ExpectedVersion(expected), key=key)
            assert appended.version == expected + 1
        assert (await store.append("two", [EVENT, EVENT], expected=NO_STREAM)).version == 2
        await store.close()
        await notifier.close()


async def test_an_operators_command_has_done_what_it_has_done(full: str) -> None:
    assert (await run(full, "unblock", "--all")).out == "nothing was blocked\n"
