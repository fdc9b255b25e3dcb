"""Read model `activity` under redelivery, crash, skip and reset: its sums are what took effect, at every moment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from projection import operator
from projection.read_model import Event
from projection.statement.each.handler import EachHandler
from projection.strategy import OrderingStrategy, Tools
from settings.catalogue.projection import Strategy
from tests.integration.projector.process import ROOT, run
from tests.integration.projector.stage import CREATED, DELETED, PATIENCE_S, POISON, UPDATED, Moments, Stage, life, until
from tests.mutants.caught import AS_MADE, EACH_STRATEGY
from tests.read_models import BOTH, BOTH_NAMES

HANDLERS: Final = pytest.mark.parametrize("handler", ["set", "each"])
TOTALS: Final = """
SELECT coalesce(sum(created), 0)::int AS created, coalesce(sum(updated), 0)::int AS updated,
       coalesce(sum(deleted), 0)::int AS deleted
  FROM activity
"""


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage with both read models."""
    async with Stage.on(url, read_models=BOTH_NAMES) as both:
        yield both


async def totals(stage: Stage) -> tuple[int, int, int]:
    """Created, updated and deleted in all minutes."""
    (row,) = await stage.sql(TOTALS)
    return (row["created"], row["updated"], row["deleted"])


@HANDLERS
@EACH_STRATEGY
async def test_a_minute_counts_what_was_recorded_in_it(stage: Stage, strategy: Strategy, handler: str) -> None:
    await stage.append("todo-1", *life("a", "b", deleted=True))
    await stage.append("todo-2", *life("a", "b", "c"))
    await stage.sql("UPDATE events SET recorded_at = '2026-01-01 12:59:59.999999+03:30' WHERE stream = 'todo-1'")
    await stage.sql("UPDATE events SET recorded_at = '2026-01-01 09:30:00+00' WHERE stream = 'todo-2'")
    await stage.catch_up(strategy=strategy, handler=handler)

    minutes = await stage.minutes()
    assert [(row["minute"].isoformat(), row["created"], row["updated"], row["deleted"]) for row in minutes] == [
        ("2026-01-01T09:29:00+00:00", 1, 1, 1),
        ("2026-01-01T09:30:00+00:00", 1, 2, 0),
    ]
    await stage.assert_right(serial=strategy == "global-order")


@HANDLERS
async def test_what_is_delivered_again_counts_once(stage: Stage, handler: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.catch_up(strategy="global-order", handler=handler)
    await stage.sql("UPDATE cursors SET position = 0")
    await stage.append("todo-1", UPDATED)
    await stage.catch_up(strategy="global-order", handler=handler)

    assert await totals(stage) == (1, 2, 0)
    await stage.assert_right(serial=True)


@HANDLERS
async def test_who_wakes_up_after_a_takeover_counts_nothing(stage: Stage, handler: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    hook = Moments(stop_at="claimed")
    leases: dict[str, Any] = {"strategy": "stream-leases", "handler": handler}
    async with stage.prepared(hook=hook, **leases) as stalled:
        step = asyncio.create_task(stalled.strategy.step())
        await hook.reached.wait()
        await stage.pass_time()
        await stage.catch_up(**leases)
        hook.open.set()
        await step

    assert await totals(stage) == (1, 1, 0)
    await stage.assert_right()


async def test_who_stops_in_the_middle_of_a_minute_keeps_nobody_else_from_it(stage: Stage) -> None:
    going, go_on = asyncio.Event(), asyncio.Event()

    async def stops(_connection: asyncpg.Connection, _event: Event) -> None:
        going.set()
        await go_on.wait()

    def slow(tools: Tools) -> OrderingStrategy:
        models = [*BOTH, replace(BOTH[1], name="slow", apply=stops)]
        return AS_MADE["stream-leases"](replace(tools, handler=EachHandler(models, pause=timedelta(minutes=1)), slot=1))

    await stage.append("todo-1", CREATED)
    async with stage.prepared(make=slow) as first:
        step = asyncio.create_task(first.strategy.step())
        await asyncio.wait_for(going.wait(), PATIENCE_S)
        await stage.append("todo-2", CREATED)
        await stage.sql("UPDATE events SET recorded_at = (SELECT min(recorded_at) FROM events)")
        async with stage.projector(make=lambda tools: AS_MADE["stream-locks"](replace(tools, slot=2))):
            await until(lambda: _counted(stage, 1), "the other one to count in the same minute")
        go_on.set()
        await step
    assert await totals(stage) == (2, 0, 0)
    assert len(await stage.minutes()) == 1
    await stage.assert_right()


async def _counted(stage: Stage, created: int) -> bool:
    return (await totals(stage))[0] == created


async def test_a_skipped_event_counts_neither_before_nor_after_a_reset(stage: Stage) -> None:
    await stage.append("todo-1", CREATED, POISON, UPDATED)
    await stage.catch_up(strategy="stream-leases")
    await operator.skip(stage.steps, "todo-1")
    await stage.catch_up(strategy="stream-leases")
    assert await totals(stage) == (1, 1, 0)

    done = await operator.reset(stage.steps, "todo-1")
    assert await totals(stage) == (0, 0, 0)
    assert done.recounted.mended == {}


async def test_a_reset_of_one_stream_takes_back_its_own_counts_alone(stage: Stage) -> None:
    await stage.append("todo-1", *life("a", "b", deleted=True))
    await stage.append("todo-2", *life("a", "b"))
    await stage.catch_up()
    done = await operator.reset(stage.steps, "todo-1")
    assert await totals(stage) == (1, 1, 0)
    assert done.recounted.mended == {}
    await stage.assert_right(complete=False)

    await stage.catch_up(handler="each")
    assert await totals(stage) == (2, 2, 1)
    await stage.assert_right()


async def test_a_rebuild_beside_appends_and_projectors_is_exact(stage: Stage) -> None:
    for number in range(30):
        await stage.append(f"todo-{number:02}", *life("a", "b"))
    await stage.catch_up()

    async def write() -> None:
        for number in itertools.cycle(range(30)):
            await stage.append(f"todo-{number:02}", UPDATED)

    async with stage.projector(strategy="stream-leases"), stage.projector(strategy="stream-locks", handler="each"):
        writing = asyncio.create_task(write())
        done = await operator.reset(stage.steps, None)
        await stage.append("todo-last", CREATED)
        writing.cancel()
        await asyncio.wait([writing])
        await until(stage.projected, "all events to be projected")
    assert done.recounted.mended == {}
    stage.versions.update(
        {row["stream"]: row["version"] for row in await stage.sql("SELECT stream, version FROM streams")}
    )
    await stage.assert_right()


async def test_a_recount_mends_what_was_damaged_by_hand(stage: Stage) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", *life("a", deleted=True))
    await stage.catch_up()
    await stage.sql("UPDATE activity SET created = created + 5, deleted = 0")
    await stage.sql("INSERT INTO activity VALUES ('2020-02-02 02:02+00', 7, 1, 1, 1)")

    done = await operator.recount(stage.steps)
    assert await totals(stage) == (2, 1, 1)
    assert len(done.mended) == 5
    await stage.assert_right()


EXTENDING: Final = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").partition("## A read model")[2]
LENGTHS: Final = EXTENDING.partition("```python\n")[2].partition("```")[0]
"""The read model of the page that says how to write one."""

TABLE: Final = (
    "CREATE TABLE lengths (id text PRIMARY KEY, length int)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON lengths TO tidemark_projector, tidemark_operator",
)


@pytest.fixture
async def strangers(stage: Stage, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """A read model in a folder of somebody else's, with its table: what a process is told to keep it."""
    (tmp_path / "my_models").mkdir()
    (tmp_path / "my_models" / "lengths.py").write_text(LENGTHS)
    for statement in TABLE:
        await stage.sql(statement)
    yield {"PYTHONPATH": str(tmp_path), "READ_MODELS": "todos, activity, my_models.lengths"}
    await stage.sql("DROP TABLE lengths")


async def test_a_strangers_read_model_is_kept_by_a_process(stage: Stage, strangers: dict[str, str]) -> None:
    await stage.append("todo-1", *life("a", "four"))
    await stage.append("todo-2", *life("a", deleted=True))
    ended = await run(stage.url, "--once", HANDLER="each", **strangers)
    assert ended.code == 0, ended.err
    assert [tuple(row) for row in await stage.sql("SELECT * FROM lengths")] == [("todo-1", 4)]
    await stage.assert_right()

    ended = await run(stage.url, "reset", "--all", HANDLER="each", **strangers)
    assert ended.code == 0, ended.err
    assert await stage.sql("SELECT * FROM lengths") == []
    assert await totals(stage) == (0, 0, 0)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"HANDLER": "set"}, "HANDLER='set' is not usable: expected each: read model lengths has no `effect`"),
        ({"HANDLER": "all"}, "HANDLER='all' is not usable: expected one of set, each"),
        ({"READ_MODELS": "activity"}, "READ_MODELS='activity' is not usable: expected todos among them"),
        ({"READ_MODELS": "todos,prices"}, "READ_MODELS='prices' is not usable: expected one of activity, todos"),
        ({"READ_MODELS": "todos,json"}, "READ_MODELS='json' is not usable"),
        (
            {"READ_MODELS": "todos,json.decoder"},
            "expected a module with a projection.read_model.ReadModel as READ_MODEL",
        ),
    ],
)
async def test_what_can_not_be_kept_is_refused_by_name_before_any_work(
    stage: Stage, strangers: dict[str, str], told: dict[str, str], said: str
) -> None:
    await stage.append("todo-1", CREATED, DELETED)
    ended = await run(stage.url, "--once", **{**strangers, **told})
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert await stage.rows() == []
