"""NOTIFY as a hint: bursts are joined, a lost connection is made anew, a store that is away is no error."""

from __future__ import annotations

import asyncio

import pytest

from eventstore.connection import wakeup
from eventstore.connection.database import Database
from eventstore.connection.wakeup import CHANNEL, Listener, Notifier
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import BOUND_S, until

LISTENING = (
    "EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE '% listener' AND datname = current_database())"
)


async def test_a_burst_is_one_notification_and_a_late_one_follows(database: Database, connect: Connect) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await (await connect()).add_listener(CHANNEL, lambda *heard_of: heard.put_nowait(heard_of[3]))
    notifier = Notifier(database)

    assert [notifier.nudge() for _ in range(50)] == [True] + [False] * 49
    await asyncio.sleep(0)
    assert [notifier.nudge() for _ in range(50)] == [False] * 50
    await notifier.close()
    assert notifier.nudge()
    await notifier.close()

    async with asyncio.timeout(BOUND_S):
        await (await connect()).execute(f"NOTIFY {CHANNEL}, 'end'")
        payloads = [await heard.get()]
        while payloads[-1] != "end":
            payloads.append(await heard.get())
    assert payloads == ["", "", "", "end"], "a burst, what came while its notification went out, a late one"


async def test_the_listener_wakes_and_comes_back_after_a_lost_connection(
    database: Database, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "_RECONNECT_S", 0.01)
    woken: asyncio.Queue[None] = asyncio.Queue()
    admin = await connect()
    listener = Listener(database, lambda: woken.put_nowait(None))
    listener.start()
    try:
        async with asyncio.timeout(BOUND_S):
            await woken.get()
            Notifier(database).nudge()
            await woken.get()

            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '% listener'"
            )
            await woken.get()
            await listener.connected.wait()
    finally:
        await listener.close()
    await until(admin, f"NOT {LISTENING}")


async def test_a_store_that_is_away_is_no_error(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "_RECONNECT_S", 0.01)
    await database.close()
    notifier = Notifier(database)
    notifier.nudge()
    await notifier.close()

    listener = Listener(Database("postgresql://nobody@127.0.0.1:1/nowhere"), lambda: None)
    listener.start()
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not listener.connected.is_set()
    await listener.close()
