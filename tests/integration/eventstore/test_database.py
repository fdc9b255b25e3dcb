"""Connections in use by many tasks: who waits, who is cancelled, what dies, and that no place is ever lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, select, text

from bench.platforms.postgres.cluster import free_port
from eventstore.connection.bounds import Bounds
from eventstore.connection.database import Database, Statement
from eventstore.errors import InvalidEvent, StoreUnavailable
from tests.cluster import Cluster
from tests.integration.eventstore.conftest import Connect
from tests.integration.eventstore.waiting import BOUND_S, until

ONE = Statement(select(bindparam("n", type_=Integer).label("n")))
SLEEP = Statement(text("SELECT pg_sleep(3600)"))
CONNECTIONS = (
    "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark')"
)


@pytest.fixture
async def pair(url: str) -> AsyncIterator[Database]:
    """A database with two connections at most."""
    async with Database(url, pool_size=2) as database:
        yield database


@pytest.fixture
async def single(url: str) -> AsyncIterator[Database]:
    """A database with one connection at most."""
    async with Database(url, pool_size=1) as database:
        yield database


async def one(database: Database, n: int = 1) -> int:
    value: int = (await database.fetch(ONE, n=n))[0]["n"]
    return value


async def all_places(database: Database, size: int) -> list[asyncpg.Connection]:
    """Hold all connections at once for a moment: fails when a place was lost."""
    async with AsyncExitStack() as stack, asyncio.timeout(BOUND_S):
        return [await stack.enter_async_context(database.connection()) for _ in range(size)]


async def test_connections_that_die_idle_are_replaced(pair: Database, connect: Connect) -> None:
    lost = asyncio.Semaphore(0)
    for connection in await all_places(pair, 2):
        connection.add_termination_listener(lambda _: lost.release())
    await (await connect()).execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidemark'"
        " AND datname = current_database()"
    )
    for _ in range(2):
        await asyncio.wait_for(lost.acquire(), BOUND_S)

    assert [await one(pair, n) for n in range(5)] == list(range(5))
    await all_places(pair, 2)


async def test_a_connection_that_dies_in_use_fails_its_statement_alone(pair: Database, connect: Connect) -> None:
    admin = await connect()
    victim = asyncio.create_task(pair.fetch(SLEEP))
    await until(admin, "EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)')")
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'")

    with pytest.raises(StoreUnavailable):
        await victim
    assert await one(pair) == 1
    await all_places(pair, 2)


async def test_a_transaction_left_open_is_undone_and_not_handed_on(single: Database, connect: Connect) -> None:
    async with single.connection() as connection:
        await connection.execute("BEGIN; INSERT INTO cursors (name) VALUES ('left')")

    async with single.connection() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT count(*) FROM cursors") == 0


async def test_who_waits_is_served_in_order(single: Database) -> None:
    served: list[int] = []

    async def ask(n: int) -> None:
        async with single.connection():
            served.append(n)

    async with single.connection():
        asking = [asyncio.create_task(ask(n)) for n in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*asking)
    assert served == [0, 1, 2, 3, 4]


async def test_who_is_cancelled_in_line_is_passed_over(single: Database) -> None:
    async with single.connection():
        cancelled, other = asyncio.create_task(one(single, 1)), asyncio.create_task(one(single, 2))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
    assert await other == 2
    await all_places(single, 1)


async def test_who_is_cancelled_while_it_is_served_passes_the_connection_on(single: Database) -> None:
    held = single.connection()
    await held.__aenter__()
    cancelled, other = asyncio.create_task(one(single, 1)), asyncio.create_task(one(single, 2))
    await asyncio.sleep(0)

    await held.__aexit__(None, None, None)
    cancelled.cancel()

    assert await asyncio.wait_for(other, BOUND_S) == 2
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    await all_places(single, 1)


async def test_waiting_in_line_has_an_end(url: str) -> None:
    async with Database(url, pool_size=1, bounds=Bounds(0.2)) as database:
        async with database.connection():
            with pytest.raises(StoreUnavailable):
                await one(database)
        assert await one(database) == 1


async def test_a_statement_that_takes_too_long_is_given_up_and_ended(url: str, connect: Connect) -> None:
    async with Database(url, pool_size=1, bounds=Bounds(0.3)) as database:
        with pytest.raises(StoreUnavailable):
            await database.fetch(SLEEP)
        await until(
            await connect(),
            "NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active')",
        )
        assert await one(database) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_no_cancellation_loses_a_connection(pair: Database, connect: Connect, seed: int) -> None:
    """Cancelled while connecting, in line, under way, and being served."""
    dice = random.Random(seed)
    tasks = [asyncio.create_task(one(pair, n)) for n in range(150)]
    for task in tasks:
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        if dice.random() < 0.6:
            task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert all(isinstance(a, asyncio.CancelledError) or a == n for n, a in enumerate(answers))
    await all_places(pair, 2)
    await until(await connect(), f"{CONNECTIONS} <= 2")


async def test_being_cancelled_while_connecting_leaves_nothing_behind(url: str, connect: Connect) -> None:
    admin = await connect()
    database = Database(url, pool_size=2)
    try:
        for steps in range(60):
            task = asyncio.create_task(one(database))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await all_places(database, 2)
        await until(admin, f"{CONNECTIONS} <= 2")
    finally:
        await database.close()


async def test_closing_ends_statements_and_sends_home_who_waits(url: str, connect: Connect) -> None:
    admin = await connect()
    database = await Database(url, pool_size=1, bounds=Bounds(6 * BOUND_S)).start()
    under_way = asyncio.create_task(database.fetch(SLEEP))
    await until(admin, "EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)')")
    in_line = asyncio.create_task(one(database))
    await asyncio.sleep(0)

    await database.close()

    for ended in (under_way, in_line, asyncio.create_task(one(database))):
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(ended, BOUND_S)
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'")
    await until(admin, f"{CONNECTIONS} = 0")


async def test_a_connection_that_opens_while_the_database_closes_is_not_kept(url: str, connect: Connect) -> None:
    database = Database(url, pool_size=1, bounds=Bounds(6 * BOUND_S))
    opening = asyncio.create_task(one(database))
    await asyncio.sleep(0)
    await database.close()

    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(opening, BOUND_S)
    await until(await connect(), f"{CONNECTIONS} = 0")


def wrong_port(url: str) -> str:
    return url.replace(url.rpartition("/")[0].rpartition(":")[2], str(free_port()))


def wrong_password(url: str) -> str:
    return url.replace("tidemark:", "tidemark:not-", 1)


def wrong_database(url: str) -> str:
    return url + "_missing"


@pytest.mark.parametrize("wrong", [wrong_port, wrong_password, wrong_database])
async def test_a_store_that_can_not_be_reached(url: str, wrong: Callable[[str], str]) -> None:
    database = Database(wrong(url), pool_size=2)
    tries: list[Awaitable[object]] = [database.start(), *(one(database) for _ in range(10))]
    answers = await asyncio.wait_for(asyncio.gather(*tries, return_exceptions=True), BOUND_S)

    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert not any("not-" in str(answer) for answer in answers)
    await database.close()


async def test_the_address_may_carry_the_options_of_libpq(cluster: Cluster, url: str) -> None:
    async with Database(url + "?sslmode=disable&statement_timeout=1234") as database, database.connection() as c:
        assert await c.fetchval("SHOW statement_timeout") == "1234ms"


async def test_the_address_may_bring_its_own_limit_for_connecting(url: str) -> None:
    for address, limit in ((url, Bounds().connect), (f"{url}?connect_timeout=7", 7.0)):
        async with Database(address) as database:
            assert database.bounds.connect == limit
            assert database.bounds.statement == Bounds().statement


async def test_a_value_that_can_not_be_sent_is_refused_by_name(database: Database) -> None:
    for value in (2**31, "one", object()):
        with pytest.raises(InvalidEvent):
            await database.fetch(ONE, n=value)
    with pytest.raises(KeyError, match="m"):
        await database.fetch(ONE, m=1)
