"""The migrations and the tables as Python knows them are the same, both ways."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from migrations import compared, metadata
from migrations.__main__ import migrate
from tests.cluster import Cluster
from tests.integration.migrations.databases import everything


def create_all(connection: Connection) -> None:
    for one in metadata:
        one.create_all(connection)


def drop_all(connection: Connection) -> None:
    for one in metadata:
        one.drop_all(connection)


def difference(connection: Connection) -> object:
    """What Alembic would write into a next revision."""
    options = {"compare_type": True, "compare_server_default": True, "include_object": compared}
    context = MigrationContext.configure(connection, opts=options)
    # Each metadata alone would take the other's tables for tables to be dropped.
    joined = MetaData()
    for one in metadata:
        for table in one.sorted_tables:
            table.to_metadata(joined)
    return compare_metadata(context, joined)


async def run_sync(url: str, work: Callable[[Connection], object]) -> object:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_the_migrations_make_what_the_tables_say(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as created, cluster.database(migrated=False) as migrated:
        await run_sync(created, create_all)
        await migrate(migrated)

        wanted = await everything(created)
        assert await everything(migrated) == wanted
        assert sum(row.startswith("function ") for row in wanted) == 4
        assert sum(row.startswith("trigger ") for row in wanted) == 2
        assert await run_sync(migrated, difference) == []


async def test_a_downgrade_leaves_nothing_and_can_be_undone(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url)
        first = await everything(url)
        connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')")
        await connection.close()

        await migrate(url, "downgrade", "base")
        assert await everything(url) == []
        await migrate(url)
        assert await everything(url) == first


async def test_dropping_the_tables_drops_their_functions_too(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await run_sync(url, create_all)
        await run_sync(url, drop_all)
        assert await everything(url) == []
