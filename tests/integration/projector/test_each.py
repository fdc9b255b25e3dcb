"""A function for each event: who is to blame when it raises, and what it may not do with its transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from eventstore.connection.bounds import Bounds
from projection.read_model import Apply, Event
from projection.statement.each.applying import SWALLOWED, TransactionEnded
from projection.statement.each.handler import EachHandler
from projection.strategy import OrderingStrategy, Tools
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Make, Stage, until
from tests.mutants.caught import AS_MADE, EACH_STRATEGY
from tests.read_models import READ_MODELS

WAITING: Final = (
    "SELECT stream, projected, attempts, blocked_at IS NOT NULL AS blocked, error FROM streams ORDER BY stream"
)
ATTEMPTS: Final = "SELECT max(attempts) FROM (SELECT attempts FROM streams UNION SELECT attempts FROM cursors) AS tried"
BATCHES: Final = """
SELECT count(*) AS batches, max(events) AS largest
  FROM (SELECT sum(to_version - from_version + 1) AS events FROM projection_audit GROUP BY xmin::text) AS batch
"""
HALTED: Final = "SELECT stream, version, attempts, blocked_at IS NOT NULL AS blocked, error FROM cursors"


def also(function: Apply, pause: timedelta = timedelta(seconds=30), **settings: Any) -> Mapping[Strategy, Make]:
    """Projectors that keep the todos, and call this function after each event."""
    other = replace(READ_MODELS[0], name="other", apply=function)
    handler = EachHandler([*READ_MODELS, other], pause=pause, **settings)

    def of(made: Callable[[Tools], OrderingStrategy]) -> Make:
        return lambda tools: made(replace(tools, handler=handler))

    return {name: of(made) for name, made in AS_MADE.items()}


async def on_the_second(event: Event, what: Exception) -> None:
    if (event.stream, event.version) == ("todo-1", 2):
        raise what


@EACH_STRATEGY
@pytest.mark.parametrize("handler", ["set", "each"])
async def test_a_refused_event_blocks_its_stream_after_its_attempts(
    stage: Stage, strategy: Strategy, handler: str
) -> None:
    await stage.append("todo-1", CREATED, POISON, UPDATED)
    await stage.append("todo-2", CREATED, UPDATED)
    await stage.catch_up(strategy=strategy, handler=handler)

    if strategy == "global-order":
        (halted,) = await stage.sql(HALTED)
        assert dict(halted) == {
            **{"stream": "todo-1", "version": 2, "attempts": 2, "blocked": True},
            "error": "stream todo-1, version 2: TodoUpdated has no text",
        }
        assert await stage.versions_projected() == {"todo-1": 1}
    else:
        first, second = await stage.sql(WAITING)
        assert dict(first) == {
            **{"stream": "todo-1", "projected": 1, "attempts": 2, "blocked": True},
            "error": "version 2: TodoUpdated has no text",
        }
        assert (second["projected"], second["blocked"]) == (2, False)
    await stage.assert_right(complete=False, serial=strategy == "global-order")


@EACH_STRATEGY
async def test_whatever_the_function_raises_is_its_events_fault(stage: Stage, strategy: Strategy) -> None:
    async def fails(_: asyncpg.Connection, event: Event) -> None:
        await on_the_second(event, KeyError("price"))

    await stage.append("todo-1", CREATED, UPDATED)
    await stage.append("todo-2", CREATED)
    await stage.catch_up(strategy=strategy, make=also(fails)[strategy])

    scope = "cursors" if strategy == "global-order" else "streams"
    error = await stage.value(f"SELECT error FROM {scope} WHERE blocked_at IS NOT NULL")
    assert error.endswith("version 2: KeyError: 'price'")
    await stage.assert_right(complete=False, serial=strategy == "global-order")


async def opens(_: asyncpg.Connection) -> None:
    with open("/nonexistent"):  # noqa: ASYNC230
        return


async def times_out(_: asyncpg.Connection) -> None:
    raise TimeoutError


async def is_refused(_: asyncpg.Connection) -> None:
    raise ConnectionRefusedError(111, "the other service is away")


async def gives_too_many(connection: asyncpg.Connection) -> None:
    await connection.fetch("SELECT $1::int", 1, 2)


@EACH_STRATEGY
@pytest.mark.parametrize(
    ("what", "said"),
    [
        (opens, "FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent'"),
        (times_out, "TimeoutError: "),
        (is_refused, "ConnectionRefusedError: [Errno 111] the other service is away"),
        (gives_too_many, "InterfaceError: the server expects 1 argument for this query, 2 were passed"),
    ],
)
async def test_an_error_of_its_own_is_not_taken_for_a_silence_of_postgres(
    stage: Stage, strategy: Strategy, what: Callable[[asyncpg.Connection], Awaitable[None]], said: str
) -> None:
    """It blocks its stream, the others go on, and a job ends."""

    async def fails(connection: asyncpg.Connection, event: Event) -> None:
        if (event.stream, event.version) == ("todo-1", 2):
            await what(connection)

    await stage.append("todo-1", CREATED, UPDATED)
    await stage.append("todo-2", CREATED)
    await stage.catch_up(strategy=strategy, make=also(fails)[strategy])

    serial = strategy == "global-order"
    scope = "cursors" if serial else "streams"
    (blocked,) = await stage.sql(f"SELECT attempts, error FROM {scope} WHERE blocked_at IS NOT NULL")
    assert blocked["attempts"] == 2
    assert f"version 2: {said}" in blocked["error"]
    assert await stage.versions_projected() == ({"todo-1": 1} if serial else {"todo-1": 1, "todo-2": 1})
    await stage.assert_right(complete=False, serial=serial)


@EACH_STRATEGY
async def test_a_statement_that_postgres_refuses_is_its_events_fault(stage: Stage, strategy: Strategy) -> None:
    async def divides(connection: asyncpg.Connection, event: Event) -> None:
        await connection.execute("SELECT 1 / $1::int", 2 - event.version)

    await stage.append("todo-1", CREATED, UPDATED)
    await stage.catch_up(strategy=strategy, make=also(divides)[strategy])

    scope = "cursors" if strategy == "global-order" else "streams"
    error = await stage.value(f"SELECT error FROM {scope} WHERE blocked_at IS NOT NULL")
    assert error.endswith("version 2: DivisionByZeroError: division by zero")


@EACH_STRATEGY
async def test_an_error_of_postgres_that_the_function_swallows_is_found(stage: Stage, strategy: Strategy) -> None:
    async def goes_on(connection: asyncpg.Connection, event: Event) -> None:
        try:
            await connection.execute("SELECT 1 / $1::int", 2 - event.version)
        except asyncpg.DivisionByZeroError:
            return

    await stage.append("todo-1", CREATED, UPDATED, UPDATED)
    await stage.catch_up(strategy=strategy, make=also(goes_on)[strategy])

    scope = "cursors" if strategy == "global-order" else "streams"
    error = await stage.value(f"SELECT error FROM {scope} WHERE blocked_at IS NOT NULL")
    assert error.endswith(f"version 2: {SWALLOWED}")
    assert await stage.versions_projected() == {"todo-1": 1}


@EACH_STRATEGY
@pytest.mark.parametrize("code", ["40001", "55P03", "53100", "57014"])
async def test_what_passes_blames_no_event(stage: Stage, strategy: Strategy, code: str) -> None:
    left = 3

    async def busy(connection: asyncpg.Connection, _: Event) -> None:
        nonlocal left
        if left:
            left -= 1
            await connection.execute(
                f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'not now'; END $$"
            )

    await stage.append("todo-1", CREATED, UPDATED)
    async with stage.projector(strategy=strategy, make=also(busy)[strategy]):
        await until(stage.projected, "the function to be called until it passes")

    assert left == 0
    assert await stage.value(ATTEMPTS) == 0
    await stage.assert_right(serial=strategy == "global-order")


@EACH_STRATEGY
async def test_a_lock_that_outlasts_the_clients_patience_blames_no_event(stage: Stage, strategy: Strategy) -> None:
    called = 0

    async def waits(connection: asyncpg.Connection, _: Event) -> None:
        nonlocal called
        called += 1
        await connection.execute("SELECT pg_advisory_xact_lock(7)")

    async def again() -> bool:
        return called > 4

    await stage.append("todo-1", CREATED)
    bounds = Bounds(statement=0.5)
    async with stage.database.connection() as holder, holder.transaction():
        await holder.execute("SELECT pg_advisory_xact_lock(7)")
        async with stage.projector(strategy=strategy, bounds=bounds, make=also(waits)[strategy]):
            await until(again, "the function to be called again")
            assert await stage.value(ATTEMPTS) == 0


@EACH_STRATEGY
async def test_a_statement_that_is_wrong_is_a_defect_of_the_program(stage: Stage, strategy: Strategy) -> None:
    async def wrong(connection: asyncpg.Connection, _: Event) -> None:
        await connection.execute("SELEC 1")

    await stage.append("todo-1", CREATED)
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await stage.catch_up(strategy=strategy, make=also(wrong)[strategy])
    assert await stage.value("SELECT max(attempts) FROM streams") == 0
    assert await stage.rows() == []


@EACH_STRATEGY
async def test_a_function_that_commits_is_a_defect_of_the_program(stage: Stage, strategy: Strategy) -> None:
    async def commits(connection: asyncpg.Connection, _: Event) -> None:
        await connection.execute("COMMIT")

    await stage.append("todo-1", CREATED)
    with pytest.raises(TransactionEnded):
        await stage.catch_up(strategy=strategy, make=also(commits)[strategy])


@EACH_STRATEGY
async def test_a_function_that_stops_holds_its_locks_no_longer_than_a_lease(stage: Stage, strategy: Strategy) -> None:
    seen: list[str] = []

    async def asks(connection: asyncpg.Connection, _: Event) -> None:
        seen.append(await connection.fetchval("SHOW idle_in_transaction_session_timeout"))

    await stage.append("todo-1", CREATED)
    await stage.catch_up(strategy=strategy, make=also(asks)[strategy])
    assert seen == ["30s"]


async def sleeps(_: asyncpg.Connection) -> None:
    await asyncio.sleep(0.8)


async def blocks(_: asyncpg.Connection) -> None:
    time.sleep(0.8)  # noqa: ASYNC251


async def blocks_and_raises(connection: asyncpg.Connection) -> None:
    await blocks(connection)
    raise KeyError("price")


async def sleeps_and_asks(connection: asyncpg.Connection) -> None:
    await sleeps(connection)
    await connection.execute("SELECT 1")


@EACH_STRATEGY
@pytest.mark.parametrize("pauses", [sleeps, blocks, blocks_and_raises, sleeps_and_asks])
async def test_a_function_that_pauses_longer_than_a_lease_is_counted(
    stage: Stage, strategy: Strategy, pauses: Callable[[asyncpg.Connection], Awaitable[None]]
) -> None:
    """Its session is gone, and maybe its lease: what it did is counted all the same, and a job ends."""

    async def pauses_on_the_second(connection: asyncpg.Connection, event: Event) -> None:
        if (event.stream, event.version) == ("todo-1", 2):
            await pauses(connection)

    lease = timedelta(seconds=0.5)
    await stage.append("todo-1", CREATED, UPDATED, UPDATED)
    await stage.append("todo-2", CREATED)
    await stage.catch_up(strategy=strategy, lease=lease, make=also(pauses_on_the_second, lease)[strategy])

    serial = strategy == "global-order"
    scope = "cursors" if serial else "streams"
    (blocked,) = await stage.sql(f"SELECT attempts, error FROM {scope} WHERE blocked_at IS NOT NULL")
    assert blocked["attempts"] == 2
    assert "version 2: its function paused for longer than the 0.5 s" in blocked["error"]
    assert await stage.versions_projected() == ({"todo-1": 1} if serial else {"todo-1": 1, "todo-2": 1})
    await stage.assert_right(complete=False, serial=serial)


@pytest.mark.parametrize("strategy", ["global-order", "stream-leases"])
async def test_the_handlers_cost_is_paid_once_an_event(stage: Stage, strategy: Strategy) -> None:
    await stage.append("todo-1", CREATED, *[UPDATED] * 9)
    await stage.catch_up(strategy=strategy, handler="each", handler_latency=0.02)
    took = await stage.value("SELECT max(projected_at) - (SELECT min(recorded_at) FROM events) FROM projection_audit")
    assert took >= timedelta(seconds=0.2)
    await stage.assert_right(serial=strategy == "global-order")


@EACH_STRATEGY
@pytest.mark.parametrize("streams", [1, 3])
async def test_events_share_a_transaction_however_few_their_streams_are(
    stage: Stage, strategy: Strategy, streams: int
) -> None:
    """As many as a batch may have: also of one stream."""
    for number in range(streams):
        await stage.append(f"todo-{number}", CREATED, *[UPDATED] * 59)
    sizes = {"streams_in_flight": 50, "events_per_batch": 50, "events_per_window": 50}
    await stage.catch_up(strategy=strategy, handler="each", **sizes)
    (row,) = await stage.sql(BATCHES)
    assert row["batches"] <= 2 * streams
    # By leases the last stream of a batch is not cut.
    assert row["largest"] <= (99 if strategy == "stream-leases" else 50)
    await stage.assert_right(serial=strategy == "global-order")
