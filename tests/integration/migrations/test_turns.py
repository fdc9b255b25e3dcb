"""Migrators that start at once take turns, and none stands in the way of traffic for long."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from migrations.__main__ import migrate
from migrations.turn import Held
from tests.cluster import Cluster
from tests.integration.migrations.databases import everything, start


async def test_migrators_that_start_at_once_all_succeed(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        starting = [await start("upgrade", url) for _ in range(3)]
        ended = await asyncio.gather(*(process.communicate() for process in starting))

        assert [process.returncode for process in starting] == [0, 0, 0], ended
        assert any(row.startswith("table events ") for row in await everything(url))


async def test_a_migrator_waits_for_its_turn(cluster: Cluster) -> None:
    """It does nothing, not even look, while another one works."""
    async with cluster.database(migrated=False) as url:
        other = await asyncpg.connect(url)
        await other.execute("SELECT pg_advisory_lock(1953064546)")
        waiting = asyncio.create_task(migrate(url))
        async with asyncio.timeout(20):
            while not await other.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
            ):
                assert not waiting.done()
                await asyncio.sleep(0.01)
        assert await other.fetchval("SELECT to_regclass('alembic_version')") is None
        await other.close()
        await waiting


async def test_a_turn_that_is_not_had_in_time_names_who_has_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations.turn.TURN_TIMEOUT", "50ms")
    async with cluster.database() as url:
        other = await asyncpg.connect(url, server_settings={"application_name": "stuck one"})
        await other.execute("SELECT pg_advisory_lock(1953064546)")
        pid = await other.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(
            Held,
            match=rf"the migrators' turn is held by pid {pid} \(application stuck one, user tidemark, idle\) since",
        ):
            await migrate(url)
        await other.close()


async def test_a_migrator_gives_up_where_traffic_would_wait_behind_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations.turn.LOCK_TIMEOUT", "50ms")
    async with cluster.database() as url:
        busy = await asyncpg.connect(url)
        await busy.execute("BEGIN; SELECT count(*) FROM streams")
        with pytest.raises(Held, match="lock timeout: tables that are to be changed are held by pid"):
            await migrate(url, "downgrade", "base")
        await busy.execute("ROLLBACK")
        assert await busy.fetchval("SELECT to_regclass('streams')") is not None
        await busy.close()
