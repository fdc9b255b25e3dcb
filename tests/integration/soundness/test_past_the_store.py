"""Writers and servers that the store's own appends know nothing of: replicas, brought positions, a restore, a fake."""

from __future__ import annotations

import asyncio
import subprocess
from collections import defaultdict

import asyncpg
import pytest

from bench.platforms.postgres.binaries import find_binaries
from eventstore.errors import StoreUnsound
from eventstore.postgres import Database, PostgresEventStore
from projection.operator.positions import positions
from projection.operator.steps import Steps
from tests.cluster import Cluster
from tests.integration.projector.stage import CREATED, Stage
from tests.integration.soundness.test_order_broken import findings, history
from tests.read_models import READ_MODELS

EVENT = """'late', 1, 'TodoCreated', '{"text": "milk"}'"""


async def test_a_session_that_calls_itself_a_replica_is_announced(stage: Stage) -> None:
    """Its event commits late, and the reader waits for it, as for any other."""
    await history(stage)
    writer = await asyncpg.connect(stage.url)
    await writer.execute(
        "SET session_replication_role = replica; BEGIN;"
        "INSERT INTO streams (stream, version, pending_since) VALUES ('late', 1, now());"
        f"INSERT INTO events (stream, version, type, data) VALUES ({EVENT});"
        "INSERT INTO tallies (slot, events, streams) VALUES (2000, 1, 1)"
    )
    await stage.append("early", CREATED)
    async with stage.prepared(serial=True) as worker:
        await worker.strategy.prepare()
        assert (await worker.strategy.step()).events == 0
        await worker.strategy.release()
    await writer.execute("COMMIT")
    await writer.close()
    stage.versions["late"] = 1
    await stage.catch_up(serial=True)
    await stage.assert_right(serial=True)


@pytest.mark.parametrize("position", [3, 7, 12])
async def test_a_position_that_somebody_brings_is_refused_by_name(stage: Stage, position: int) -> None:
    await history(stage)
    with pytest.raises(StoreUnsound, match=f"position {position} is not above 12, which was given out before"):
        await stage.sql(
            "INSERT INTO events (position, stream, version, type, data) OVERRIDING SYSTEM VALUE"
            f" VALUES ({position}, {EVENT})"
        )


async def test_a_position_far_ahead_stops_whoever_comes_next(stage: Stage) -> None:
    """Until positions go on above it; it is no other event's fault."""
    await history(stage)
    await stage.sql(f"INSERT INTO events OVERRIDING SYSTEM VALUE VALUES (20, {EVENT}, now())")
    await stage.sql("INSERT INTO streams (stream, version, pending_since) VALUES ('late', 1, now())")
    await stage.sql("INSERT INTO tallies (slot, events, streams) VALUES (2000, 1, 1)")
    stage.versions["late"] = 1
    with pytest.raises(StoreUnsound, match="stands at 12, below the newest event at 20"):
        await stage.append("next", CREATED)
    await positions(Steps(stage.database))
    await stage.append("next", CREATED)
    await stage.catch_up(serial=True)
    await stage.assert_right(serial=True)


async def test_a_server_that_hides_announcements_is_named(stage: Stage) -> None:
    """As one whose pg_locks shows the locks of another node, or none of these."""
    await stage.sql("CREATE SCHEMA fake")
    await stage.sql("CREATE VIEW fake.pg_locks AS SELECT * FROM pg_catalog.pg_locks WHERE locktype <> 'advisory'")
    await stage.sql("GRANT USAGE ON SCHEMA fake TO PUBLIC")
    await stage.sql("GRANT SELECT ON fake.pg_locks TO PUBLIC")
    await stage.sql(f"ALTER DATABASE {stage.url.rpartition('/')[2]} SET search_path = fake, pg_catalog, public")
    async with Stage.on(stage.url) as faked:
        assert {finding.check for finding in await findings(faked)} == {"pg_locks"}
        await faked.append("todo-1", CREATED)
        with pytest.raises(StoreUnsound, match="pg_locks does not show the advisory lock"):
            await faked.catch_up(serial=True)
        await faked.catch_up()
        await faked.assert_right()


async def test_a_dump_that_is_restored_goes_on_where_it_was(stage: Stage, cluster: Cluster) -> None:
    """A whole dump has the sequence with it; one whose sequence was left behind is refused, and repaired."""
    await history(stage)
    await stage.append("not projected", CREATED)
    dump = await asyncio.to_thread(_client, "pg_dump", "--no-owner", stage.url)
    for text, behind in ((dump, False), (_without_positions(dump), True)):
        async with cluster.database(migrated=False) as url:
            await asyncio.to_thread(_client, "psql", "-q", "-v", "ON_ERROR_STOP=1", url, told=text)
            await _goes_on(url, stage, behind=behind)


def _client(program: str, *arguments: str, told: str = "") -> str:
    command = [find_binaries().program(program), *arguments]
    return subprocess.run(command, input=told, capture_output=True, text=True, check=True).stdout


def _without_positions(dump: str) -> str:
    return "\n".join(line for line in dump.splitlines() if "setval('public.events_position_seq'" not in line)


async def _goes_on(url: str, original: Stage, *, behind: bool) -> None:
    async with Database(url, pool_size=4) as database:
        store = PostgresEventStore(database)
        restored = Stage(url, database, store, Steps(database, READ_MODELS), defaultdict(int, original.versions))
        if behind:
            with pytest.raises(StoreUnsound, match="stands at 0, below the newest event at 13"):
                await restored.append("after", CREATED)
            await positions(Steps(restored.database))
        await restored.append("after", CREATED)
        assert await findings(restored) == ()
        await restored.catch_up(serial=True)
        await restored.assert_right(serial=True)
        await store.close()
