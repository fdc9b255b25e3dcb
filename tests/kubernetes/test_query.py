"""KEDA's query on a real server: by its own role, along its index, and blind to what waits for an operator."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest

from eventstore.connection.planner import CONNECTIONS
from tests.cluster import Cluster, as_role
from tests.kubernetes.manifests import find
from tests.kubernetes.rendering import rendered
from tests.plans.explain import Plan

ROLE: Final = "tidemark_scaler"
STREAMS: Final = 20_000
FILL: Final = f"""
INSERT INTO streams (stream, version, projected)
SELECT 's' || n, 3, 3 FROM generate_series(1, {STREAMS}) n;
INSERT INTO tallies (slot, events, streams, projected)
SELECT n, 300, 100, 300 FROM generate_series(0, {STREAMS // 100} - 1) n;
ANALYZE
"""
WAIT: Final = """
WITH behind AS (
  UPDATE streams SET version = version + $2, pending_since = clock_timestamp() - $3::float8 * interval '1 s',
         blocked_at = CASE WHEN $4 THEN clock_timestamp() END
   WHERE stream = ANY ($1) RETURNING stream
)
UPDATE tallies SET events = events + $2 * (SELECT count(*) FROM behind) WHERE slot = 7
"""


def query() -> str:
    """As the manifest has it."""
    document = find(rendered("components/keda"), "ScaledObject", "projector")
    assert document is not None
    return str(document["spec"]["triggers"][0]["metadata"]["query"])


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A store whose streams are caught up."""
    made = cluster.create()
    cluster.server.execute(FILL, made.rpartition("/")[2])
    return made


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Who writes; all is caught up again after each test."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.execute(
        "UPDATE streams SET version = 3, pending_since = NULL, blocked_at = NULL WHERE version > 3"
    )
    await connection.execute("UPDATE tallies SET events = 300")
    await connection.close()


@pytest.fixture
async def scaler(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever scales."""
    connection = await asyncpg.connect(as_role("scaler", url))
    yield connection
    await connection.close()


async def wait(owner: asyncpg.Connection, stream: str, events: int, since_s: float, *, blocked: bool = False) -> None:
    """Let a stream have events that are not projected."""
    await owner.execute(WAIT, [stream], events, since_s, blocked)


async def test_nothing_waits(scaler: asyncpg.Connection) -> None:
    assert await scaler.fetchval(query()) == 0


async def test_a_blocked_stream_does_not_count(owner: asyncpg.Connection, scaler: asyncpg.Connection) -> None:
    await wait(owner, "s1", 1_000_000, 3600, blocked=True)
    assert await scaler.fetchval("SELECT sum(events - projected) FROM tallies") == 1_000_000
    assert await scaler.fetchval(query()) == 0
    await wait(owner, "s2", 40, 5)
    assert await scaler.fetchval(query()) == 40


async def test_what_is_projected_at_once_does_not_count(owner: asyncpg.Connection, scaler: asyncpg.Connection) -> None:
    await wait(owner, "s1", 500, 0)
    assert await scaler.fetchval(query()) == 0
    await wait(owner, "s2", 1, 2)
    assert await scaler.fetchval(query()) == 501


async def test_a_counter_that_lags_leaves_one(owner: asyncpg.Connection, scaler: asyncpg.Connection) -> None:
    await wait(owner, "s1", 5, 2)
    await owner.execute("UPDATE tallies SET events = 300")
    assert await scaler.fetchval(query()) == 1


async def test_the_answer_is_what_keda_scans_into(owner: asyncpg.Connection, scaler: asyncpg.Connection) -> None:
    await wait(owner, "s1", 5, 2)
    statement = await scaler.prepare(query())
    assert [each.type.name for each in statement.get_attributes()] == ["float8"]
    assert len(await statement.fetch()) == 1


async def test_it_touches_an_index_and_the_counters(owner: asyncpg.Connection, scaler: asyncpg.Connection) -> None:
    """However many streams there are: one of those that wait, those that are blocked, and each counter."""
    await wait(owner, "s1", 7, 3600, blocked=True)
    await owner.executemany(WAIT, [([f"s{n}"], 2, 60.0, False) for n in range(2, 402)])
    plan = await explained(scaler)
    assert plan.rows("streams") == 2, plan.describe()
    assert plan.rows("tallies") == STREAMS // 100, plan.describe()
    assert plan.pages <= 40, plan.describe()
    assert not [each for each in plan.unbounded() if "tallies" not in each], plan.describe()


async def explained(connection: asyncpg.Connection) -> Plan:
    await connection.fetchval(query())
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON) {query()}")
    root: dict[str, Any] = json.loads(text)[0]["Plan"]
    return Plan(root)


async def test_its_role_has_few_connections(url: str, scaler: asyncpg.Connection) -> None:
    opened = [await asyncpg.connect(as_role("scaler", url)) for _ in range(CONNECTIONS[ROLE] - 1)]
    try:
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await asyncpg.connect(as_role("scaler", url))
    finally:
        for connection in opened:
            await connection.close()
