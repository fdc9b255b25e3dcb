"""Transactions that commit in another order than they took their positions: nothing is skipped, nothing is repeated."""

from __future__ import annotations

from contextlib import AsyncExitStack

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from eventstore.events import NewEvent
from settings import strategies
from settings.catalogue.projection import Strategy
from tests.integration.projector.open_append import begin
from tests.integration.projector.stage import CREATED, UPDATED, Moments, Stage, leased, life, until

UPDATES = [NewEvent("TodoUpdated", {"text": text}) for text in ("last but one", "last")]
MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])
HANDLERS = pytest.mark.parametrize("handler", ["set", "each"])
CHECKPOINT = pytest.mark.parametrize("checkpoint", [False, True], ids=["no-checkpoint", "checkpoint"])


async def cursor(stage: Stage) -> int:
    return int(await stage.value("SELECT position FROM cursors"))


@pytest.mark.parametrize("stream", ["new", "old"])
async def test_the_global_order_waits_for_an_open_transaction(stage: Stage, stream: str) -> None:
    await stage.append("old", CREATED)
    hook = Moments()
    await stage.catch_up(serial=True)
    async with stage.projector(serial=True, hook=hook), begin(stage, stream, 1) as slow:
        async with begin(stage, "overtaker", 2) as fast:
            assert fast.position > slow.position
            await fast.commit()
        await hook.wait("idle", times=3)
        assert await cursor(stage) < slow.position
        assert await stage.versions_projected() == {"old": 1}

        await slow.commit()
        await until(stage.projected, "both events to be projected")

    await stage.assert_right(serial=True)
    assert (await stage.oracle()).correctness.events_checked == 3


async def around_a_stuck_writer(stage: Stage, handler: str, *, checkpoint: bool) -> dict[str, int]:
    """Streams with an event that waits, `held` with a checkpoint if asked. Which versions are projected."""
    if checkpoint:
        await stage.append("held", CREATED, UPDATED)
        await stage.catch_up(serial=True, handler=handler)
    for stream in ("before", "held", "after"):
        await stage.append(stream, UPDATED if stage.versions[stream] else CREATED)
    return await stage.versions_projected()


@MODES
@HANDLERS
@CHECKPOINT
async def test_a_stuck_writer_holds_up_its_own_stream_and_is_no_failure(
    stage: Stage, serial: bool, handler: str, checkpoint: bool
) -> None:
    projected = await around_a_stuck_writer(stage, handler, checkpoint=checkpoint)
    hook = Moments(stop_at="claimed")
    async with stage.projector(serial=serial, handler=handler, hook=hook, make=leased(serial)) as projector:
        await hook.reached.wait()
        async with begin(stage, "held", 1) as stuck:
            hook.open.set()
            await hook.wait("idle", times=3)
            reached = ["before"] if serial else ["after", "before"]
            assert await stage.versions_projected() == {**projected, **dict.fromkeys(reached, 1)}
            assert (await stage.known(projector.name)).leases_held == 1

            await stuck.commit()
        await until(stage.projected, "the stream to be projected")

    assert hook.seen["failed"] == 0
    await stage.assert_right(serial=serial)


@HANDLERS
@CHECKPOINT
async def test_a_stuck_writer_is_passed_by_where_the_row_lock_is_the_lease(
    stage: Stage, handler: str, checkpoint: bool
) -> None:
    projected = await around_a_stuck_writer(stage, handler, checkpoint=checkpoint)
    hook = Moments()
    making = stage.projector(strategy="stream-locks", handler=handler, hook=hook)
    async with begin(stage, "held", 1) as stuck, making as projector:
        await hook.wait("idle", times=3)
        assert await stage.versions_projected() == {**projected, "after": 1, "before": 1}
        assert (await stage.known(projector.name)).leases_held == 0

        await stuck.commit()
        await until(stage.projected, "the stream to be projected")

    assert (hook.seen["claimed"], hook.seen["failed"]) == (0, 0)
    await stage.assert_right()


async def test_a_rolled_back_transaction_holds_nothing_back(stage: Stage) -> None:
    async with stage.projector(serial=True), begin(stage, "gone", 1) as slow:
        async with begin(stage, "overtaker", 2) as fast:
            await fast.commit()
        await slow.roll_back()
        del stage.versions["gone"]
        await until(stage.projected, "the event after the gap to be projected")

    await stage.assert_right(serial=True)


async def test_a_writer_that_does_not_use_the_store_is_waited_for_too(stage: Stage) -> None:
    connection = await asyncpg.connect(stage.url)
    hook = Moments()
    async with stage.projector(serial=True, hook=hook):
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO streams (stream, version, pending_since) VALUES ('raw', 1, now())")
        await connection.execute(
            """INSERT INTO events (stream, version, type, data) VALUES ('raw', 1, 'TodoCreated', '{"text": "tea"}')"""
        )
        await connection.execute("INSERT INTO tallies (slot, events, streams) VALUES (2000, 1, 1)")
        await stage.append("todo-1", CREATED)
        await hook.wait("idle", times=3)
        assert await stage.rows() == []

        await connection.execute("COMMIT")
        stage.versions["raw"] = 1
        await until(stage.projected, "both events to be projected")
    await connection.close()

    await stage.assert_right(serial=True)


async def test_versions_in_an_inverted_order_wait_for_each_other(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.append("todo-2", *life("a", "b"))
    await stage.invert("todo-2")

    await stage.catch_up(serial=True, events_per_window=2)

    await stage.assert_right(serial=True)


@pytest.mark.parametrize("projected", [0, 1])
async def test_a_version_that_lies_beyond_the_window_is_waited_for(stage: Stage, projected: int) -> None:
    """Versions 1 and 3 in a first window, and version 2 in the next."""
    await stage.append("todo-1", CREATED)
    if projected:
        await stage.catch_up()
    await stage.append("todo-1", *UPDATES)
    await stage.sql("UPDATE events SET version = 15 - version WHERE version IN (2, 3)")
    await stage.sql("UPDATE events SET version = version - 10 WHERE version > 10")

    hook = Moments(stop_at="applied")
    async with stage.projector(serial=True, hook=hook, events_per_window=2):
        await hook.reached.wait()
        assert await stage.versions_projected() == ({"todo-1": 1} if projected else {})
        hook.open.set()
        await until(stage.projected, "all versions to be projected")

    await stage.assert_right(serial=True)
    assert (await stage.rows())[0]["text"] == "last but one"


async def test_a_window_that_holds_what_is_projected_already(stage: Stage) -> None:
    """Of one stream nothing, of one the first half, of one all."""
    for stream in ("half", "all"):
        await stage.append(stream, *life("a", "b"))
    await stage.catch_up()
    for stream in ("none", "half"):
        await stage.append(stream, *life("a", "b") if stream == "none" else UPDATES)

    await stage.catch_up(serial=True, name="late")

    await stage.assert_right(serial=True)
    assert await stage.versions_projected() == {"all": 2, "half": 4, "none": 2}
    counted = await stage.sql("SELECT batches, duplicates, events_projected FROM projectors WHERE holder = 'late'")
    assert [tuple(row) for row in counted] == [(1, 4, 4)]


@pytest.mark.parametrize("strategy", strategies.offered())
@effort(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(5)))
async def test_any_order_of_commits_projects_every_event_once(url: str, order: list[int], strategy: Strategy) -> None:
    async with Stage.on(url) as stage:
        await commit_in(order, stage, strategy)
        await stage.assert_right(serial=strategies.is_serial(strategy))


async def commit_in(order: list[int], stage: Stage, strategy: Strategy) -> None:
    """Open transactions one after another, commit them in `order`, and let the projector work between the commits."""
    hook = Moments()
    async with stage.projector(strategy=strategy, hook=hook), AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(begin(stage, f"todo-{n}", n)) for n in range(len(order))]
        for number in order:
            await opened[number].commit()
            await hook.wait("idle")
        await until(stage.projected, "all events to be projected")
