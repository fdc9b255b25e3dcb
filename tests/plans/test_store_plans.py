"""What appends, reads and stats touch. The bounds are the same for a thousand streams and for two hundred thousand."""

from __future__ import annotations

from typing import Any

import pytest

from eventstore.append.batched import APPEND_BATCHED
from eventstore.append.batched import arguments as singles
from eventstore.append.general import APPEND, Append, arguments
from eventstore.append.single import APPEND_FIRST, APPEND_NEXT
from eventstore.events import NO_STREAM, ExpectedVersion, IdempotencyKey, NewEvent
from eventstore.soundness.rights import API, one_by_one
from eventstore.soundness.statement import CHECK, OLDEST
from eventstore.visibility.read import HEAD, LOG, STREAM
from projection.stats import DRAINED, STATS
from tests.plans.conftest import Guard
from tests.plans.explain import Plan, names
from todo.read_models.todos import COUNTS, GET, PAGE

EVENT = NewEvent("TodoUpdated", {"text": "more milk"})
DEPTH = 4
"""Pages from the root of an index to a row, at most."""

SOME = 25
"""Pages of a handful of rows. What earlier tests undid still lies about in tables and indexes."""


def within(plan: Plan, *, pages: int, **rows: int) -> None:
    """The plan touched at most so many rows of each table named, none of any other large one, and so many pages."""
    for table in ("streams", "events", "todos", "projection_audit", "idempotency_keys"):
        assert plan.rows(table) <= rows.get(table, 0), f"{table}\n{plan.describe()}"
    assert plan.pages <= pages, plan.describe()


def appends(*appends: Append) -> dict[str, Any]:
    return arguments(appends, slot=7)


async def test_an_append_to_a_new_stream(api: Guard) -> None:
    plan = await api.run(APPEND, **appends(Append.of("new", [EVENT], NO_STREAM, IdempotencyKey("new", "f"))))
    within(plan, pages=80, streams=2, events=1, idempotency_keys=1)


async def test_an_append_to_a_stream_that_exists(api: Guard) -> None:
    plan = await api.run(APPEND, **appends(Append.of("s0000500", [EVENT] * 5, ExpectedVersion(1), None)))
    within(plan, pages=100, streams=3, events=5)


@pytest.mark.parametrize("stream", ["new", "s0000500"])
async def test_an_append_of_a_first_event(api: Guard, stream: str) -> None:
    within(await api.run(APPEND_FIRST, stream=stream, type=EVENT.type, data="{}", slot=7), pages=60)


@pytest.mark.parametrize("expected", [1, 7])
async def test_an_append_of_a_next_event(api: Guard, expected: int) -> None:
    values = {"stream": "s0000500", "expected": expected, "type": EVENT.type, "data": "{}", "slot": 7}
    within(await api.run(APPEND_NEXT, **values), pages=60, streams=1)


async def test_appends_of_one_event_each(api: Guard) -> None:
    old = [Append.of(name, [EVENT], ExpectedVersion(1), None) for name in names(128)]
    new = [Append.of(name, [EVENT], NO_STREAM, None) for name in names(128, "new")]
    plan = await api.run(APPEND_BATCHED, **singles([*old, *new], slot=7))
    within(plan, pages=256 * 30, streams=128 * 2)


async def test_an_append_that_is_refused_or_replayed(api: Guard) -> None:
    plan = await api.run(
        APPEND,
        **appends(
            Append.of("s0000001", [EVENT], NO_STREAM, None),
            Append.of("s0000002", [EVENT], ExpectedVersion(5), None),
            Append.of("s0000003", [EVENT], ExpectedVersion(1), IdempotencyKey("k3", "f")),
            Append.of("s0000004", [EVENT], ExpectedVersion(1), IdempotencyKey("k4", "other")),
        ),
    )
    within(plan, pages=60, streams=6, events=2, idempotency_keys=2)


async def test_many_appends_batched(api: Guard) -> None:
    old = [Append.of(name, [EVENT], ExpectedVersion(1), IdempotencyKey(f"x{name}", "f")) for name in names(128)]
    new = [Append.of(name, [EVENT], NO_STREAM, None) for name in names(128, "new")]
    plan = await api.run(APPEND, **appends(*old, *new))
    within(plan, pages=256 * 40, streams=128 * 5, events=256, idempotency_keys=128)


async def test_reading_a_stream_and_the_log(api: Guard, streams: int) -> None:
    within(await api.run(STREAM, stream="s0000500", after=0, limit=1000), pages=SOME, events=1)
    within(await api.run(LOG, after=100, upto=streams, limit=50), pages=SOME + 50, events=50)
    within(await api.run(LOG, after=streams, upto=streams + 50, limit=50), pages=SOME, events=0)
    within(await api.run(HEAD), pages=SOME, events=1)


async def test_reading_todos(api: Guard, streams: int) -> None:
    """The first half of the todos is deleted, and a page must not wade through it."""
    within(await api.run(GET, ids=["s0000500"]), pages=SOME, todos=1)
    within(await api.run(GET, ids=names(50)), pages=50 * DEPTH, todos=50)
    within(await api.run(GET, ids=["none"]), pages=SOME)
    within(await api.run(PAGE, after="", limit=50), pages=SOME + 50, todos=50)
    within(await api.run(PAGE, after=f"s{streams - 10:07}", limit=50), pages=SOME + 10, todos=10)


@pytest.mark.parametrize("pending", [0, 500])
async def test_stats_cost_the_same_whatever_there_is(api: Guard, pending: int) -> None:
    """Ten recent events, the newest, the oldest pending stream, and the counters."""
    await api.pend(pending)
    plan = await api.run(STATS)
    within(plan, pages=250, streams=2, events=1 + 10, projection_audit=10)
    assert plan.rows("tallies") == 1024
    within(await api.run(COUNTS), pages=40)
    within(await api.run(DRAINED, slot=3), pages=20)


async def test_stats_with_blocked_streams(api: Guard) -> None:
    await api.pend(100)
    await api.connection.execute("UPDATE streams SET blocked_at = now() WHERE version = 2")
    within(await api.run(STATS), pages=600, streams=2 * 100 + 10 + 1, events=1 + 10, projection_audit=10)


@pytest.mark.parametrize("pending", [0, 500])
async def test_the_check_of_the_preconditions_costs_the_same_whatever_there_is(api: Guard, pending: int) -> None:
    """The newest event, and of the streams that wait longest their next one; the catalog's pages for all rights."""
    await api.pend(pending)
    wanted = list(one_by_one(API))
    names = dict(zip(("objects", "parts", "privileges"), map(list, zip(*wanted, strict=True)), strict=True))
    plan = await api.run(CHECK, **names, cursor="todos")
    within(plan, pages=1000, streams=OLDEST, events=OLDEST + 1)
