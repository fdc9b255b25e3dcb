"""Connections that fall silent without being closed: who notices, who pays, and that all are replaced."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import psutil
import pytest
from sqlalchemy import text

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import Network, Way, silence
from eventstore.connection.bounds import Bounds
from eventstore.connection.database import Database, Statement, parse_url
from eventstore.connection.wakeup import Listener, Notifier
from eventstore.errors import StoreUnavailable
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import BOUND_S, until

PID = Statement(text("SELECT pg_backend_pid() AS pid"))
SLEEP = Statement(text("SELECT pg_sleep(3600)"))
SIZE = 8
SERVER_SIDE = {
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "6000",
}
SHORT = Bounds(statement=0.5, connect=0.5, silence=0.5)


@pytest.fixture
async def relay(url: str) -> AsyncIterator[Relay]:
    async with Relay.before(url) as relay:
        yield relay


@asynccontextmanager
async def filled(relay: Relay, bounds: Bounds = SHORT, *, name: str = "silent") -> AsyncIterator[Database]:
    """A database with `SIZE` idle connections, that have all been used."""
    async with Database(relay.url, pool_size=SIZE, bounds=bounds, application_name=name) as database:
        async with AsyncExitStack() as stack:
            for _ in range(SIZE):
                connection = await stack.enter_async_context(database.connection())
                await connection.fetchval("SELECT 1")
        assert relay.accepted == SIZE
        yield database


async def reconnected(relay: Relay, times: int) -> None:
    """Wait until as many connections were made, ever."""
    while relay.accepted < times:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def pid(database: Database) -> int:
    return int((await database.fetch(PID))[0]["pid"])


@pytest.mark.parametrize(("up", "down"), [(True, True), (True, False), (False, True)])
async def test_one_caller_finds_out_and_the_next_is_served(relay: Relay, up: bool, down: bool) -> None:
    async with filled(relay) as database:
        relay.change(silence(up=up, down=down, fresh=False))
        with pytest.raises(StoreUnavailable):
            await pid(database)

        assert len({await pid(database) for _ in range(SIZE)}) == 1
        assert relay.accepted <= SIZE + 2, "one new connection, and one to have the statement ended"


async def test_callers_at_once_pay_once_each(relay: Relay) -> None:
    async with filled(relay) as database:
        relay.change(silence(fresh=False))
        first = await asyncio.gather(*(pid(database) for _ in range(3 * SIZE)), return_exceptions=True)
        assert all(isinstance(answer, int | StoreUnavailable) for answer in first)
        assert len(await asyncio.gather(*(pid(database) for _ in range(3 * SIZE)))) == 3 * SIZE


async def test_new_connections_that_nobody_answers_are_given_up_too(relay: Relay) -> None:
    async with filled(relay) as database:
        relay.change(silence())
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(pid(database), BOUND_S)
        relay.change(Network())
        assert await pid(database) > 0


async def test_silence_after_the_log_in_is_bounded_as_connecting(relay: Relay) -> None:
    """SQLAlchemy sends statements of its own on a new connection, which no other limit holds."""
    bounds = Bounds(statement=6 * BOUND_S, connect=0.5)
    async with filled(relay, bounds) as database:
        relay.change(Network(Way(latency_ms=200), Way(latency_ms=200)))
        fresh = Database(relay.url, pool_size=1, bounds=bounds)
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(pid(fresh), BOUND_S)
        relay.change(Network())
        assert await pid(fresh) > 0
        await fresh.close()
        assert await pid(database) > 0


async def test_what_was_used_since_the_trouble_began_is_kept(relay: Relay) -> None:
    """A statement that is slow, on a connection that is well, does not cost the others theirs."""
    async with filled(relay) as database:
        slow = asyncio.create_task(database.fetch(SLEEP))
        await asyncio.sleep(0)
        known = await pid(database)
        with pytest.raises(StoreUnavailable):
            await slow
        assert await pid(database) == known


async def test_a_cancelled_statement_is_ended_and_its_connection_not_used_again(url: str, connect: Connect) -> None:
    async with Database(url, pool_size=1) as database:
        before = await pid(database)
        under_way = asyncio.create_task(database.fetch(SLEEP))
        admin = await connect()
        await until(admin, "EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)')")
        under_way.cancel()
        with pytest.raises(asyncio.CancelledError):
            await under_way

        assert await pid(database) != before
        await until(admin, f"NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {before})")


async def test_no_connection_is_left_at_the_server(relay: Relay, connect: Connect) -> None:
    async with filled(relay, name="leaving") as database:
        relay.change(silence(fresh=False))
        with pytest.raises(StoreUnavailable):
            await pid(database)
        relay.change(Network())
        await pid(database)
    await until(await connect(), "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'leaving')")


async def socket_of(connection: asyncpg.Connection) -> socket.socket:
    """This process's end of a connection, by the port that the server sees."""
    port = await connection.fetchval("SELECT inet_client_port()")
    (end,) = [one for one in psutil.Process().net_connections("tcp") if one.laddr.port == port]
    return socket.socket(fileno=os.dup(end.fd))


async def test_the_kernel_watches_every_connection(url: str) -> None:
    async with Database(url, pool_size=1, bounds=Bounds(silence=6.0)) as database:
        connection = await database.connect()
        with await socket_of(connection) as channel:
            assert channel.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 3
            assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 1
            assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
            assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 6000
        # And so does the server's, which would keep the place of a client that is gone.
        told = [await connection.fetchval(f"SHOW {name}") for name in SERVER_SIDE]
        assert told == list(SERVER_SIDE.values())
        await connection.close()


async def test_a_listener_that_is_deaf_says_so_once_and_comes_back(
    relay: Relay, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.connection.wakeup._RECONNECT_S", 0.01)
    told: asyncio.Queue[str] = asyncio.Queue()
    woken: asyncio.Queue[None] = asyncio.Queue()
    async with Database(url, pool_size=1, bounds=SHORT) as database, asyncio.timeout(3 * BOUND_S):
        listener = Listener(
            database,
            lambda: woken.put_nowait(None),
            url=parse_url(relay.url),
            heartbeat=0.2,
            on_change=told.put_nowait,
        )
        listener.start()
        await listener.connected.wait()
        await woken.get()
        relay.change(silence())
        assert "did not come back" in await told.get()
        assert not listener.connected.is_set()
        assert "did not come back" in listener.deaf
        await reconnected(relay, 3)
        assert told.empty()
        relay.change(Network())
        assert await told.get() == ""
        await woken.get()
        Notifier(database).nudge()
        await woken.get()
        await listener.close()
    assert woken.empty()


async def test_a_listener_wakes_nobody_with_its_heartbeat(url: str) -> None:
    woken = 0

    def wake() -> None:
        nonlocal woken
        woken += 1

    async with Database(url, pool_size=1) as database:
        listeners = [Listener(database, wake, heartbeat=0.01) for _ in range(2)]
        for listener in listeners:
            listener.start()
            await asyncio.wait_for(listener.connected.wait(), BOUND_S)
        await asyncio.sleep(0.1)
        for listener in listeners:
            await listener.close()
    assert woken == 2


async def test_a_listener_that_hears_nothing_is_not_connected(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler that takes LISTEN, and passes no notification on."""
    monkeypatch.setattr("eventstore.connection.wakeup._Pulse.heard", lambda *_: None)
    told: asyncio.Queue[str] = asyncio.Queue()
    async with Database(url, pool_size=1) as database:
        listener = Listener(database, lambda: None, heartbeat=0.2, on_change=told.put_nowait)
        listener.start()
        assert "did not come back" in await asyncio.wait_for(told.get(), BOUND_S)
        assert not listener.connected.is_set()
        await listener.close()
