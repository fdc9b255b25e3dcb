"""What was damaged by hand is mended by a reset, counters included; a recount mends counters alone."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from eventstore.errors import StoreUnsound
from projection import operator
from tests.integration.projector.stage import CREATED, DELETED, POISON, UPDATED, Stage, life, until

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])

DAMAGE = {
    "row deleted": ["DELETE FROM todos WHERE id = 'bad'"],
    "row deleted, and counted out": [
        "DELETE FROM todos WHERE id = 'bad'",
        "INSERT INTO todo_tallies (slot, todos, active) VALUES (-2, -1, -1)",
    ],
    "version ahead": ["UPDATE todos SET version = 7 WHERE id = 'bad'"],
    "version behind": ["UPDATE todos SET version = 1 WHERE id = 'bad'"],
    "marked as deleted": ["UPDATE todos SET deleted = true WHERE id = 'bad'"],
    "text": ["UPDATE todos SET text = 'forged' WHERE id = 'bad'"],
    "audit deleted": ["DELETE FROM projection_audit WHERE stream = 'bad'"],
    "audit doubled": [
        """
        INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
        SELECT stream, from_version, to_version, last_position, projector, epoch, projected_at FROM projection_audit
         WHERE stream = 'bad'
        """
    ],
    "checkpoint set back": [
        "UPDATE streams SET projected = 0, pending_since = now() WHERE stream = 'bad'",
    ],
    "counters of todos off": ["UPDATE todo_tallies SET todos = todos + 3, active = active - 1"],
    "counter of projected off": ["UPDATE tallies SET projected = projected + 5"],
}


async def two_streams(stage: Stage, serial: bool) -> None:
    await stage.append("good", *life("a", "b"))
    await stage.append("bad", *life("a", "b"))
    await stage.append("gone", *life("a", deleted=True))
    await stage.catch_up(serial=serial)


@pytest.mark.parametrize("every", [False, True], ids=["the stream", "all"])
@pytest.mark.parametrize("damage", DAMAGE)
@MODES
async def test_a_reset_mends_what_was_damaged_by_hand(stage: Stage, serial: bool, damage: str, every: bool) -> None:
    await two_streams(stage, serial)
    for statement in DAMAGE[damage]:
        await stage.sql(statement)
    await stage.append("bad", UPDATED)
    # A checkpoint behind the serial cursor is found before anything is done.
    with contextlib.suppress(StoreUnsound):
        await stage.catch_up(serial=serial)

    await operator.reset(stage.steps, None if every else "bad")
    await stage.catch_up(serial=serial)

    assert await stage.projected()
    await stage.assert_right(serial=serial)


@MODES
async def test_a_reset_says_what_it_found_and_what_it_mended(stage: Stage, serial: bool) -> None:
    await two_streams(stage, serial)
    await stage.sql("DELETE FROM todos WHERE id = 'bad'")

    done = await operator.reset(stage.steps, "bad")

    assert (done.streams, done.events, done.rows) == (1, 2, {"todos": 0, "active": 0})
    assert done.recounted.mended == {"todos": (3, 2), "active": (2, 1)}
    assert str(done) == (
        "reset stream 'bad': 2 events are projected again from the first; projected -2, todos -0, active -0; "
        "counters mended: todos 3 -> 2, active 2 -> 1"
    )


@MODES
async def test_a_reset_may_be_repeated_at_a_block_and_after_a_skip(stage: Stage, serial: bool) -> None:
    await stage.append("good", CREATED)
    await stage.append("bad", CREATED, POISON, UPDATED, DELETED)
    await stage.append("late", CREATED)
    await stage.catch_up(serial=serial)
    for _ in range(2):
        await operator.reset(stage.steps, "bad")
    await stage.catch_up(serial=serial)
    assert [(one.stream, one.version) for one in (await stage.stats()).blocked] == [("bad", 2)]

    await operator.skip(stage.steps, "bad")
    await stage.catch_up(serial=serial)
    assert await stage.projected()
    await stage.sql("""UPDATE events SET data = '{"text": "mended"}' WHERE data = '{"text": 7}'""")
    await operator.reset(stage.steps, "bad")
    await operator.reset(stage.steps, "bad")
    assert (await stage.stats()).backlog == 4
    await stage.catch_up(serial=serial)

    await stage.assert_right(serial=serial)


async def test_a_reset_of_all_removes_what_belongs_to_no_stream(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    await stage.sql("INSERT INTO todos SELECT 'phantom', text, created_at, updated_at, 1, false, 1 FROM todos")
    await stage.sql("UPDATE projection_audit SET stream = 'phantom'")

    done = await operator.reset(stage.steps, None)

    assert done.recounted.mended == {}
    assert await stage.rows() == []
    await stage.catch_up()
    await stage.assert_right()


async def test_a_recount_mends_all_counters_beside_whoever_writes(stage: Stage) -> None:
    await two_streams(stage, serial=False)
    await stage.sql("UPDATE tallies SET events = events + 10, streams = streams - 1, projected = projected * 2")
    await stage.sql("UPDATE todo_tallies SET todos = todos + 1000, active = 0")
    appending = True

    async def append() -> None:
        while appending:
            await stage.append("busy", UPDATED if stage.versions["busy"] else CREATED)

    async with stage.projector():
        writing = asyncio.create_task(append())
        found = await operator.recount(stage.steps, log=True)
        assert set(found.mended) == {"events", "streams", "projected", "todos", "active"}
        for _ in range(5):
            assert (await operator.recount(stage.steps, log=True)).mended == {}
        appending = False
        await writing
        await until(stage.projected, "the rest to be projected")

    await stage.assert_right()
    stats = await stage.stats()
    assert (stats.events, stats.streams) == (sum(stage.versions.values()), 4)


async def test_recounts_and_resets_at_once_leave_counters_that_are_right(stage: Stage) -> None:
    await two_streams(stage, serial=False)
    await stage.sql("UPDATE todo_tallies SET todos = todos + 7")
    await asyncio.gather(
        *(operator.recount(stage.steps) for _ in range(3)), *(operator.reset(stage.steps, None) for _ in range(2))
    )
    await stage.catch_up()
    await stage.assert_right()
