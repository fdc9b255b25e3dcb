"""What `/stats` tells of the projection is true at every moment: counts, times, ages, who did what, what is blocked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.integration.projector.stage import CREATED, DELETED, POISON, UPDATED, Moments, Stage, life, until

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


async def recorded(stage: Stage, stream: str, version: int) -> datetime:
    found = await stage.value("SELECT recorded_at FROM events WHERE stream = $1 AND version = $2", stream, version)
    assert isinstance(found, datetime)
    return found


@MODES
async def test_after_part_of_a_stream_the_age_is_that_of_its_next_event(stage: Stage, serial: bool) -> None:
    for _ in range(5):
        await stage.append("todo-1", UPDATED if stage.versions["todo-1"] else CREATED)
    async with stage.prepared(serial=serial, events_per_stream=2, events_per_window=2, streams_in_flight=1) as worker:
        await worker.strategy.prepare()
        for projected in (2, 4):
            await worker.strategy.step()
            stats = await stage.stats()
            assert (stats.projected, stats.backlog, stats.projected_position) == (projected, 5 - projected, projected)
            assert stats.pending_since == await recorded(stage, "todo-1", projected + 1)
            assert stats.oldest_unprojected_age_ms > 0

        await worker.strategy.step()
        stats = await stage.stats()
        assert (stats.projected, stats.backlog, stats.pending_since) == (5, 0, None)
        assert stats.oldest_unprojected_age_ms == 0
        await worker.strategy.release()


@MODES
async def test_the_age_is_that_of_the_oldest_stream(stage: Stage, serial: bool) -> None:
    await stage.append("first", CREATED)
    await stage.append("second", *life("a", "b"))
    await stage.append("third", CREATED)
    async with stage.prepared(serial=serial, streams_in_flight=1, events_per_window=1) as worker:
        await worker.strategy.prepare()
        await worker.strategy.step()
        await worker.strategy.release()

    before = await recorded(stage, "first", 1)
    oldest = (await stage.stats()).pending_since
    assert oldest is not None
    assert before < oldest <= await recorded(stage, "second", 1)


@MODES
async def test_counts_positions_and_times_are_those_of_the_batches(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", *life("a", deleted=True))
    before = await stage.value("SELECT clock_timestamp()")
    await stage.catch_up(serial=serial, name="worker")
    after = await stage.value("SELECT clock_timestamp()")

    stats = await stage.stats()
    assert (stats.events, stats.streams, stats.projected, stats.backlog) == (4, 2, 4, 0)
    assert stats.projected_position == stats.last_position == await stage.value("SELECT max(position) FROM events")
    assert stats.projected_at is not None
    assert before <= stats.projected_at <= after
    assert {(e.stream, e.version, e.projector) for e in stats.recent} == {
        (stream, version, "worker") for stream in ("todo-1", "todo-2") for version in (1, 2)
    }
    assert all(before <= event.projected_at <= after for event in stats.recent)
    worker = await stage.known("worker")
    assert (worker.mode, worker.events_projected, worker.alive) == ("serial" if serial else "parallel", 4, False)
    assert [dict(row) for row in await stage.sql("SELECT sum(todos) AS t, sum(active) AS a FROM todo_tallies")] == [
        {"t": 2, "a": 1}
    ]


async def test_an_idle_projector_is_alive_holds_nothing_and_writes_nothing(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    hook = Moments()
    async with stage.projector(hook=hook) as projector:
        await until(stage.projected, "the event to be projected")
        await hook.wait("idle")
        known = await stage.known(projector.name)
        assert (known.alive, known.leases_held, known.batches) == (True, 0, 1)
        await hook.wait("idle", times=3)
        assert await stage.known(projector.name) == known


async def test_while_an_event_is_blocked_the_age_is_its_own(stage: Stage) -> None:
    await stage.append("bad", CREATED, POISON)
    await stage.catch_up()
    await stage.append("good", CREATED)
    await stage.catch_up()

    stats = await stage.stats()
    assert (stats.backlog, stats.pending_since) == (1, await recorded(stage, "bad", 2))


async def test_more_blocked_streams_than_are_listed_are_still_counted(stage: Stage) -> None:
    for number in range(12):
        await stage.append(f"bad-{number:02}", UPDATED)
    await stage.catch_up(attempts=1)

    stats = await stage.stats()
    assert stats.blocked_streams == 12
    assert len(stats.blocked) == 10
    times: list[Any] = [one.blocked_at for one in stats.blocked]
    assert times == sorted(times)


@MODES
async def test_a_projector_that_starts_anew_holds_nothing(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", *life("a"), DELETED)
    await stage.catch_up(serial=serial, name="same")
    await stage.sql("UPDATE projectors SET leases_held = 7")
    await stage.append("todo-2", CREATED)
    await stage.catch_up(serial=serial, name="same")

    known = await stage.known("same")
    assert (known.leases_held, known.events_projected) == (0, 3)
