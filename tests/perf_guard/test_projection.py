"""What claiming, projecting and idling may cost, in statements and buffers: no clock is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from eventstore.connection.planner import PROJECTOR
from eventstore.postgres import Database
from projection.leases.streams import PostgresLeases
from services.projector.settings import Settings
from services.projector.worker import Worker
from tests.integration.projector.stage import Moments, frozen
from tests.perf_guard.counting import Counter, Counts

PENDING = 100
CLAIM = "SKIP LOCKED"
HEADS = """
INSERT INTO streams (stream, version, projected, pending_since)
SELECT '{name}-' || n, 1, {projected}, {pending} FROM generate_series(1, {count}) AS n
"""
HISTORY = """
WITH given AS (
  INSERT INTO events (stream, version, type, data)
  SELECT 'todo-' || n, version, CASE version WHEN 1 THEN 'TodoCreated' ELSE 'TodoUpdated' END, '{{"text": "milk"}}'
    FROM generate_series(1, {each}) AS version, generate_series(1, {streams}) AS n
)
INSERT INTO streams (stream, version, pending_since)
SELECT 'todo-' || n, {each}, clock_timestamp() FROM generate_series(1, {streams}) AS n
"""
MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database(url, planner=PROJECTOR) as database:
        yield database


async def _claims(database: Database, counter: Counter, expected: int) -> Counts:
    leases = PostgresLeases(database)
    await leases.release(await leases.claim("warm-up", limit=PENDING, ttl=timedelta(minutes=1)))
    await counter.reset()
    claimed = await leases.claim("p", limit=PENDING, ttl=timedelta(minutes=1))
    counts = await counter.read()
    assert len(claimed) == expected
    assert counts.statements == 1
    await leases.release(claimed)
    return counts


@pytest.mark.parametrize("analyzed", [True, False], ids=["analyzed", "without statistics"])
async def test_a_claim_costs_the_same_whatever_exists(database: Database, counter: Counter, analyzed: bool) -> None:
    await counter.run(HEADS.format(name="pending", projected=0, pending="clock_timestamp()", count=PENDING))
    touched = []
    for count in (1_000, 99_000):
        await counter.run(HEADS.format(name=f"old-{count}", projected=1, pending="NULL", count=count))
        if analyzed:
            await counter.run("ANALYZE streams")
        touched.append((await _claims(database, counter, PENDING)).touched(CLAIM))
    # Two lookups of each row by its key, in a tree that is two levels deeper at most.
    assert touched[1] <= touched[0] + 4 * PENDING
    assert touched[1] <= 20 * PENDING


async def test_an_empty_claim_touches_next_to_nothing(database: Database, counter: Counter) -> None:
    await counter.run(HEADS.format(name="old", projected=1, pending="NULL", count=100_000))
    assert (await _claims(database, counter, 0)).touched(CLAIM) <= 5


@MODES
async def test_an_idle_projector_asks_once_a_poll(
    database: Database, counter: Counter, monkeypatch: pytest.MonkeyPatch, serial: bool
) -> None:
    monkeypatch.setattr("services.projector.worker.Listener.start", lambda _: None)
    polls = 0

    async def hook(moment: str) -> None:
        nonlocal polls
        if moment != "idle":
            return
        polls += 1
        if polls == 5:
            await counter.reset()
        elif polls == 25:
            worker.stop()

    worker = Worker(_settings(database, serial), database, hook=hook)
    await worker.run()
    counts = await counter.read()
    asked = counts.of("safe_position" if serial else CLAIM)
    # From the 6th poll to the 25th, and the goodbye at the end (the lease of the cursor, the registration, the call).
    assert asked == 20
    assert counts.statements <= asked + 3


async def test_an_event_on_a_quiet_system_is_projected_by_one_statement(
    database: Database, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Moments()
    worker = Worker(_settings(database, serial=False, poll=3600.0), database, hook=hook)
    # The clock stands, so that nothing happens but by a call.
    monkeypatch.setattr("services.projector.worker.Listener.start", lambda _: None)
    async with frozen(monkeypatch):
        idle = hook.wait("idle")
        task = asyncio.create_task(worker.run())
        await idle
        await counter.reset()
        for n in range(20):
            await counter.run(HISTORY.format(each=1, streams=1).replace("'todo-'", f"'todo-{n}-'"))
            idle = hook.wait("idle")
            worker.wake()
            await idle
        counts = await counter.read()
        worker.stop()
        await task
    assert counts.of("INSERT INTO projection_audit") == 20
    assert counts.statements == 40


def test_an_idle_projector_asks_about_once_a_second() -> None:
    settings = Settings("unused")
    looks, heartbeats = 1 / settings.poll, 3 / settings.lease.total_seconds()
    assert looks + heartbeats <= 1.5


@MODES
async def test_a_backlog_is_projected_by_few_statements(database: Database, counter: Counter, serial: bool) -> None:
    each, streams = 20, 100
    await counter.run(HISTORY.format(each=each, streams=streams))
    await counter.reset()
    worker = Worker(_settings(database, serial), database, once=True)
    await worker.run()
    counts = await counter.read()
    # Hello, listen (on two channels, and the first call to itself), take, apply, find nothing more twice, goodbye:
    # whatever the number of events.
    assert counts.statements <= 14
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT count(*) AS rows, sum(version) AS versions FROM todos")
    assert (row["rows"], row["versions"]) == (streams, streams * each)


def _settings(database: Database, serial: bool, poll: float = 0.001) -> Settings:
    return Settings(
        database_url=database.url.dsn,
        strategy="global-order" if serial else "stream-locks",
        name="p",
        lease=timedelta(hours=1),
        poll=poll,
        linger=0.0,
    )
