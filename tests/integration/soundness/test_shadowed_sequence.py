"""A sequence of the same name that a session's search path finds first: what it says is refused, or holds back more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from eventstore.schema import UNSOUND
from tests.cluster import Cluster

INSERT = "INSERT INTO events (stream, version, type, data) VALUES ($1, 1, 'A', '{}') RETURNING position"
ANNOUNCED = """
SELECT ((classid::bigint & 65535) << 32) | objid::bigint FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 1 AND pid = pg_backend_pid()
"""


@pytest.fixture
async def url(cluster: Cluster) -> AsyncIterator[str]:
    """A store of its own, with three events."""
    async with cluster.database() as url:
        connection = await asyncpg.connect(url)
        for number in range(3):
            await connection.fetchval(INSERT, f"earlier-{number}")
        await connection.close()
        yield url


@pytest.mark.parametrize("value", [None, 1, 2, 4, 1000])
async def test_another_sequence_of_that_name_lets_no_event_through_unannounced(url: str, value: int | None) -> None:
    session = await asyncpg.connect(url)
    try:
        await session.execute("CREATE TEMP SEQUENCE events_position_seq")
        if value is not None:
            await session.execute(f"SELECT setval('pg_temp.events_position_seq', {value})")
        with pytest.raises(asyncpg.PostgresError) as refused:
            await session.fetchval(INSERT, "s")
        assert refused.value.sqlstate == UNSOUND
    finally:
        await session.close()


async def test_one_that_says_the_same_is_as_good(url: str) -> None:
    session = await asyncpg.connect(url)
    try:
        await session.execute(
            "CREATE TEMP SEQUENCE events_position_seq; SELECT setval('pg_temp.events_position_seq', 3)"
        )
        async with session.transaction():
            position = await session.fetchval(INSERT, "s")
            assert position == 4
            assert await session.fetchval(ANNOUNCED) == 3
    finally:
        await session.close()
