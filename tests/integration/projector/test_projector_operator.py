"""Unblock, skip and reset: what each does, what it refuses, and that it never meets a batch halfway."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from projection import operator
from projection.blocked import blocked
from tests.integration.projector.stage import CREATED, DELETED, POISON, UPDATED, Moments, Stage, leased, life, until

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])
MEND = """UPDATE events SET data = '{"text": "mended"}' WHERE data = '{"text": 7}'"""


async def carry_out(stage: Stage, command: str) -> None:
    """Carry out a command on stream `todo-1`."""
    match command:
        case "unblock":
            await operator.unblock(stage.steps, "todo-1")
        case "skip":
            await operator.skip(stage.steps, "todo-1")
        case "reset":
            await operator.reset(stage.steps, "todo-1")
        case "reset all":
            await operator.reset(stage.steps, None)


@MODES
async def test_unblock_tries_again_with_all_attempts(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED, POISON, UPDATED)
    await stage.catch_up(serial=serial)
    assert await blocked(stage.database)

    assert (await operator.unblock(stage.steps, "todo-1")).total == 1
    await stage.catch_up(serial=serial)
    assert (await stage.stats()).blocked[0].attempts == 2

    await stage.sql(MEND)
    assert (await operator.unblock(stage.steps, None)).total == 1
    await stage.catch_up(serial=serial)

    assert not await blocked(stage.database)
    await stage.assert_right(serial=serial)


async def test_unblock_of_all_counts_them(stage: Stage) -> None:
    for number in range(3):
        await stage.append(f"todo-{number}", CREATED, POISON)
    await stage.append("good", CREATED)
    await stage.catch_up()
    await stage.sql(MEND)

    assert (await operator.unblock(stage.steps, None)).total == 3
    assert (await operator.unblock(stage.steps, None)).total == 0


async def test_what_does_not_exist_is_refused_by_name(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()

    with pytest.raises(operator.UnknownStream, match="'todo-1' is not blocked"):
        await operator.unblock(stage.steps, "todo-1")
    with pytest.raises(operator.UnknownStream, match="'todo-1' is not blocked"):
        await operator.skip(stage.steps, "todo-1")
    with pytest.raises(operator.UnknownStream, match="there is no stream 'todo-2'"):
        await operator.reset(stage.steps, "todo-2")


@MODES
async def test_skip_passes_over_one_event_and_the_oracle_names_it(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED, POISON, UPDATED, DELETED)
    await stage.append("todo-2", CREATED)
    await stage.catch_up(serial=serial)

    await operator.skip(stage.steps, "todo-1")
    await stage.catch_up(serial=serial)

    assert await stage.versions_projected() == {"todo-1": 4, "todo-2": 1}
    assert await stage.value("SELECT skipped FROM streams WHERE stream = 'todo-1'") == [2]
    assert await stage.projected()
    found = await stage.oracle(serial=serial)
    assert found.correctness.lost == 1
    assert any("lost: version 2 of todo-1" in line for line in found.offenders)


@pytest.mark.parametrize("behind", [0, 2])
async def test_after_a_skip_the_age_is_that_of_the_next_event(stage: Stage, behind: int) -> None:
    await stage.append("todo-1", CREATED, POISON, *[UPDATED] * behind)
    await stage.catch_up()

    await operator.skip(stage.steps, "todo-1")

    oldest = await stage.value("SELECT recorded_at FROM events WHERE stream = 'todo-1' AND version = 3")
    stats = await stage.stats()
    assert (stats.backlog, stats.pending_since, stats.blocked) == (behind, oldest, [])


@MODES
async def test_reset_of_one_stream_projects_it_again_and_leaves_the_others(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED)
    await stage.append("todo-2", *life("a", "b"))
    await stage.append("todo-3", *life("a", deleted=True))
    await stage.catch_up(serial=serial, name="first")
    before = await stage.rows()

    await operator.reset(stage.steps, "todo-2")
    stats = await stage.stats()
    first = await stage.value("SELECT recorded_at FROM events WHERE stream = 'todo-2' AND version = 1")
    assert (stats.backlog, stats.pending_since) == (2, first)
    assert await stage.versions_projected() == {"todo-1": 1, "todo-3": 2}
    await stage.catch_up(serial=serial, name="second")

    assert (await stage.known("second")).events_projected == 2
    assert await stage.rows() == before
    await stage.assert_right(serial=serial)


@MODES
async def test_reset_of_all_is_a_rebuild(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", *life("a", deleted=True))
    await stage.append("bad", CREATED, POISON)
    await stage.catch_up(serial=serial)
    first = await stage.value("SELECT min(recorded_at) FROM events")

    await operator.reset(stage.steps, None)
    stats = await stage.stats()
    assert (stats.backlog, stats.projected, stats.pending_since, stats.blocked) == (6, 0, first, [])
    assert await stage.rows() == []
    await stage.sql(MEND)
    await stage.catch_up(serial=serial)

    await stage.assert_right(serial=serial)


async def test_an_idle_serial_projector_notices_that_its_cursor_was_moved(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    hook = Moments()
    async with stage.projector(serial=True, hook=hook, lease=timedelta(seconds=0.5)) as projector:
        await until(stage.projected, "the event to be projected")
        await hook.wait("idle")

        await operator.reset(stage.steps, "todo-1")
        await until(stage.projected, "the event to be projected again")
        assert (await stage.known(projector.name)).leases_held == 1

    await stage.assert_right(serial=True)


@pytest.mark.parametrize("command", ["unblock", "skip", "reset", "reset all"])
@MODES
async def test_whoever_holds_a_lease_is_fenced_off(stage: Stage, serial: bool, command: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    hook = Moments(stop_at="claimed")
    async with stage.projector(serial=serial, hook=hook, make=leased(serial), name="late"):
        await hook.reached.wait()
        at = ", stream = 'todo-1', version = 1" if serial else ""
        await stage.sql(f"UPDATE {'cursors' if serial else 'streams'} SET blocked_at = clock_timestamp(){at}")
        await carry_out(stage, command)
        applied = hook.wait("applied")
        hook.open.set()
        await applied
        assert await stage.value("SELECT count(*) FROM projection_audit WHERE epoch = 1") == 0
        if command == "skip":
            return
        await until(stage.projected, "the lease to be claimed again")
        assert (await stage.known("late")).leases_held == (1 if serial else 0)

    await stage.assert_right(serial=serial)


@pytest.mark.parametrize("command", ["skip", "reset", "reset all"])
@MODES
async def test_a_command_waits_for_the_batch_under_way_and_sees_it(stage: Stage, serial: bool, command: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", CREATED)
    hook = Moments(stop_at="claimed")
    usual = {"serial": serial, "make": leased(serial), "lease": timedelta(seconds=1)}
    async with stage.projector(hook=hook, **usual):
        await hook.reached.wait()
        async with stage.batches_held_back():
            hook.open.set()
            await until(stage.waiting, "the batch to wait")
            task = asyncio.create_task(carry_out(stage, command))
            await until(lambda: stage.waiting(2), "the command to wait for the batch")
        await asyncio.wait([task])
        assert (type(task.exception()) is operator.UnknownStream) == (command == "skip")
        await until(stage.projected, "everything to be projected again")

    await stage.assert_right(serial=serial)
