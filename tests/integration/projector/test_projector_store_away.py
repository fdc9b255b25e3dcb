"""A store that goes away and comes back, and hints that get lost: only delay, never loss."""

from __future__ import annotations

import asyncio
import itertools
import struct
from datetime import timedelta

import pytest

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.cluster import free_port
from eventstore.connection.database import Database
from eventstore.connection.wakeup import CHANNEL
from eventstore.errors import StoreUnavailable
from projection.leases import cursors
from projection.ordering.global_order import GlobalOrder
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from projection.registry import projectors as registry
from services.projector import preconditions
from services.projector.settings import Settings
from services.projector.worker import Worker
from tests.integration.projector.stage import CREATED, UPDATED, Make, Moments, Stage, frozen, life, until

FAREWELL = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
TURNS = 10
"""Of the event loop, in which relay and driver are: more than what was said takes to arrive."""

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

LISTENER = "application_name LIKE '% listener'"


@pytest.mark.parametrize(
    ("make", "moment"),
    [
        *itertools.product([StreamLeases, GlobalOrder], ["claimed", "applied", "idle"]),
        (StreamLocks, "applied"),
        (StreamLocks, "idle"),
    ],
)
async def test_it_goes_on_after_all_its_connections_were_ended(stage: Stage, make: Make, moment: str) -> None:
    serial = make is GlobalOrder
    await stage.append("todo-1", *life("a", "b", "c"))
    await stage.append("todo-2", CREATED)
    hook = Moments(stop_at=moment)
    usual = {"serial": serial, "make": make, "lease": timedelta(seconds=0.5), "events_per_stream": 2}
    async with stage.projector(hook=hook, **usual):
        await hook.reached.wait()
        await stage.sql(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")
        await stage.append("todo-2", UPDATED)
        hook.open.set()
        await until(stage.projected, "all events to be projected")

    assert await stage.value("SELECT count(*) FROM projectors WHERE leases_held <> 0") == 0
    await stage.assert_right(serial=serial)


async def test_a_connection_whose_end_was_announced_is_not_used_again(stage: Stage) -> None:
    """The server's farewell comes a moment before the end of the connection, and the driver stumbles in between."""
    async with Relay.before(stage.url) as relay, Database(relay.url, pool_size=1) as database:
        async with database.connection():
            pass
        (connection,) = relay.connections
        assert connection.client.transport is not None
        connection.client.transport.write(b"E" + struct.pack("!i", 4 + len(FAREWELL)) + FAREWELL)
        for _ in range(TURNS):
            await asyncio.sleep(0)

        with pytest.raises(StoreUnavailable):
            await database.fetch(cursors.PREPARE, name="todos")
        await database.fetch(cursors.PREPARE, name="todos")


async def test_a_hint_wakes_a_projector_that_sleeps_for_long(stage: Stage) -> None:
    hook = Moments()
    async with stage.projector(hook=hook, poll=3600.0) as projector:
        await until(lambda: listening(stage), "the projector to listen")
        projector.worker.wake()
        await hook.wait("idle")
        await stage.append("todo-1", CREATED)
        await stage.sql(f"NOTIFY {CHANNEL}")
        await until(stage.projected, "the event to be projected")


async def test_a_hint_that_was_missed_is_made_up_for_when_listening_again(stage: Stage) -> None:
    hook = Moments()
    async with stage.projector(hook=hook, poll=3600.0) as projector:
        await until(lambda: listening(stage), "the projector to listen")
        projector.worker.wake()
        await hook.wait("idle")
        await stage.sql(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS} AND {LISTENER}")
        await stage.append("todo-1", CREATED)
        await until(stage.projected, "the event to be projected")


async def listening(stage: Stage) -> bool:
    return bool(await stage.value(f"SELECT count(*) = 1 {OTHERS} AND {LISTENER} AND state = 'idle'"))


async def test_without_listening_the_poll_finds_the_work(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.projector.worker.Listener.start", lambda _: None)
    hook = Moments()
    async with stage.projector(hook=hook):
        await hook.wait("idle")
        await stage.append("todo-1", CREATED)
        await until(stage.projected, "the event to be projected")


async def test_an_absent_store_is_not_asked_without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    async def refuse(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("away")

    monkeypatch.setattr(preconditions, "require", refuse)
    worker = Worker(Settings("unused"), Database(f"postgresql://user:word@127.0.0.1:{free_port()}/nothing"))
    worker.wake()
    async with frozen(monkeypatch):
        task = asyncio.create_task(worker.run())
        for _ in range(100):
            await asyncio.sleep(0)
        assert tries == 1
        worker.stop()
        await task


async def test_a_defect_in_the_heartbeat_ends_the_projector(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(registry, "beat", fail)
    await stage.append("todo-1", CREATED)
    hook = Moments()
    async with stage.prepared(hook=hook, lease=timedelta(seconds=0.5), handler_latency=3600.0) as worker:
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(worker.run(), 20)

    assert hook.seen["claimed"] == 1
    assert await stage.value("SELECT count(*) FROM streams WHERE holder IS NOT NULL") == 0
