"""Which pooler stands before the server, and what a connection through each is like."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from eventstore.connection import pooler
from eventstore.connection.address import parse_url
from eventstore.connection.bounds import BOUNDS
from eventstore.connection.connector import Connector
from eventstore.connection.database import Database
from eventstore.connection.planner import JOB, PLANNER, PROJECTOR
from eventstore.connection.pooler import Pooling
from tests.cluster import as_role
from tests.pgbouncer import Bouncer


async def mode(url: str) -> Pooling:
    return await pooler.find(lambda: asyncpg.connect(url, statement_cache_size=0))


async def test_none(url: str) -> None:
    assert await mode(url) == "none"


async def test_in_session_mode(url: str, session: Bouncer) -> None:
    assert await mode(session.url(url)) == "session"


async def test_in_transaction_mode(url: str, transaction: Bouncer) -> None:
    assert await mode(transaction.url(url)) == "transaction"


async def test_in_transaction_mode_under_load(url: str, transaction: Bouncer) -> None:
    """Others take the connections between two looks."""
    through = transaction.url(as_role("api", url))
    ended = asyncio.Event()

    async def client() -> None:
        connection = await asyncpg.connect(through, statement_cache_size=0)
        while not ended.is_set():
            await connection.fetchval("SELECT pg_sleep(0.001)")
        await connection.close()

    clients = [asyncio.create_task(client()) for _ in range(8)]
    try:
        found = [await mode(through) for _ in range(10)]
    finally:
        ended.set()
        await asyncio.gather(*clients)
    assert found == ["transaction"] * 10


@pytest.mark.parametrize("role", ["api", "projector"])
async def test_behind_a_pooler_in_transaction_mode_the_settings_are_the_roles(
    url: str, transaction: Bouncer, role: str
) -> None:
    planner = PLANNER if role == "api" else PROJECTOR
    async with Database(transaction.url(as_role(role, url)), planner=planner) as database:
        assert database.connector.lacking == ()
        async with database.connection() as connection:
            assert await _settings(connection, planner) == planner


async def test_behind_a_pooler_in_transaction_mode_what_a_role_lacks_is_known(url: str, transaction: Bouncer) -> None:
    async with Database(transaction.url(url)) as database:
        assert database.connector.lacking == tuple(PLANNER)
    async with Database(transaction.url(as_role("projector", url)), planner=JOB) as database:
        assert database.connector.lacking == ("plan_cache_mode", "work_mem")


@pytest.mark.parametrize("planner", [PLANNER, PROJECTOR, JOB])
async def test_elsewhere_the_settings_are_the_sessions(url: str, session: Bouncer, planner: dict[str, str]) -> None:
    """Whoever connects: here the owner of the tables, whose role has none."""
    for address in (url, session.url(url)):
        async with Database(address, planner=planner) as database:
            async with database.connection() as connection:
                assert await _settings(connection, planner) == planner
            assert database.connector.lacking is None


async def test_nothing_is_left_prepared_behind_a_pooler_in_transaction_mode(url: str, transaction: Bouncer) -> None:
    async with Database(transaction.url(as_role("api", url))) as database, database.connection() as connection:
        for _ in range(5):
            assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0


async def test_a_declared_pooler_is_believed(url: str) -> None:
    connector = Connector(BOUNDS, name="tidemark", planner=PLANNER)
    assert await connector.pooling(parse_url(f"{url}?pgbouncer=true")) == "transaction"


async def _settings(connection: asyncpg.Connection, names: Mapping[str, str]) -> dict[str, str]:
    return {name: await connection.fetchval("SELECT current_setting($1)", name) for name in names}
