"""Plans of target `crud`, made while its table is empty, as a connection keeps them: every row by its index."""

from __future__ import annotations

import asyncio

import pytest

from eventstore.postgres import Database
from targets.crud import grouped, table
from targets.crud.migrate import migrate
from tests.cluster import Cluster

STATEMENTS = {
    "update": (table.UPDATE, "('a', 'b', NULL)", "todos_pkey"),
    "delete": (table.DELETE, "('a', NULL)", "todos_pkey"),
    "find": (table.FIND, "('a')", "todos_pkey"),
    "page": (table.PAGE, "('', 10)", "ix_todos_active"),
    "write": (grouped.WRITE, "('{}', '{}', '{}', '{}', '{}')", "todos_pkey"),
    "find_many": (grouped.FIND, "('{}')", "todos_pkey"),
}


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A database with the empty table."""
    url = cluster.create(migrated=False)
    asyncio.run(migrate(url))
    return url


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_looks_its_rows_up_by_their_index(name: str, url: str) -> None:
    statement, arguments, index = STATEMENTS[name]
    async with Database(url, pool_size=1) as database, database.connection() as connection:
        await connection.execute(f"PREPARE {name} AS {statement}")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE {name}{arguments}"))
    assert f"using {index} on todos" in plan
    assert "Seq Scan" not in plan
