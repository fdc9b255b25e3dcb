"""What is blocked is one truth, in both modes and through a change of mode; a command acts on that alone."""

from __future__ import annotations

import pytest

from projection import operator
from projection.blocked import blocked
from projection.operator import UnknownStream
from tests.integration.projector.process import run
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Stage

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])
MEND = """UPDATE events SET data = '{"text": "mended"}' WHERE data = '{"text": 7}'"""
HALTED = "which waits at stream 'bad', version 2"


async def block(stage: Stage, *, serial: bool) -> None:
    await stage.append("good", CREATED)
    await stage.append("bad", CREATED, POISON, UPDATED)
    await stage.append("late", CREATED)
    await stage.catch_up(serial=serial)


@MODES
async def test_the_list_the_count_and_the_exit_code_say_the_same(stage: Stage, serial: bool) -> None:
    await block(stage, serial=serial)

    stats = await stage.stats()
    assert stats.blocked_streams == len(stats.blocked) == 1
    assert (stats.blocked[0].stream, stats.blocked[0].version) == ("bad", 2)
    assert stats.blocked[0].scope == ("projection" if serial else "stream")
    assert await blocked(stage.database)
    ended = await run(stage.url, "--once", SERIAL_PROJECTION=str(serial))
    assert ended.code == 1
    assert '"stream": "bad", "version": 2' in ended.err

    skipped = await run(stage.url, "skip", str(stats.blocked[0].stream), "--version", str(stats.blocked[0].version))
    assert (skipped.code, skipped.err) == (0, "")
    assert skipped.out == (
        "skipped stream 'bad', version 2 (TodoUpdated at position 3): it is never applied; "
        "1 events of the stream come after it; projected +1\n"
    )
    assert (await run(stage.url, "--once", SERIAL_PROJECTION=str(serial))).code == 0
    stats = await stage.stats()
    assert (stats.blocked_streams, stats.blocked, stats.backlog) == (0, [], 0)
    assert await stage.sql("SELECT FROM cursors WHERE stream IS NOT NULL OR error IS NOT NULL") == []


async def test_an_event_that_blocks_its_stream_and_the_projection_is_one(stage: Stage) -> None:
    await block(stage, serial=False)
    await stage.catch_up(serial=True)
    stats = await stage.stats()
    assert (stats.blocked_streams, [one.scope for one in stats.blocked]) == (1, ["projection", "stream"])

    await stage.sql(MEND)
    done = await operator.unblock(stage.steps, "bad")
    assert (done.total, (await stage.stats()).blocked) == (1, [])
    await stage.catch_up(serial=True)
    await stage.assert_right(serial=True)


async def test_a_cursor_is_free_once_its_event_took_effect_in_the_other_mode(stage: Stage) -> None:
    await block(stage, serial=True)
    await stage.sql(MEND)
    await stage.catch_up(serial=False)

    stats = await stage.stats()
    assert (stats.blocked_streams, stats.blocked, stats.backlog) == (0, [], 0)
    assert not await blocked(stage.database)
    await stage.append("good", UPDATED)
    await stage.append("worse", CREATED, POISON)
    await stage.catch_up(serial=True)
    stats = await stage.stats()
    assert [(one.stream, one.version, one.attempts) for one in stats.blocked] == [("worse", 2, 2)]


@MODES
@pytest.mark.parametrize(
    ("command", "stream", "said"),
    [
        ("unblock", "nobody", "there is no stream 'nobody'"),
        ("skip", "nobody", "there is no stream 'nobody'"),
        ("reset", "nobody", "there is no stream 'nobody'"),
        ("unblock", "good", "stream 'good' is not blocked"),
        ("skip", "late", "stream 'late' is not blocked"),
    ],
)
async def test_a_command_on_what_is_not_blocked_changes_nothing_and_says_why(
    stage: Stage, serial: bool, command: str, stream: str, said: str
) -> None:
    await block(stage, serial=serial)
    everything = "SELECT (SELECT json_agg(s) FROM streams s), (SELECT json_agg(c) FROM cursors c)"
    before = await stage.sql(everything)

    ended = await run(stage.url, command, stream)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(said)
    if serial and "not blocked" in said:
        assert HALTED in ended.err
    assert await stage.sql(everything) == before


@MODES
async def test_a_skip_is_only_of_the_version_that_was_named(stage: Stage, serial: bool) -> None:
    await block(stage, serial=serial)
    with pytest.raises(UnknownStream, match="'bad' is blocked at version 2, not at 3"):
        await operator.skip(stage.steps, "bad", 3)
    assert (await operator.skip(stage.steps, "bad", 2)).version == 2


async def test_a_block_from_before_its_event_was_recorded_can_be_taken_back(stage: Stage) -> None:
    await block(stage, serial=True)
    await stage.sql("UPDATE cursors SET stream = NULL, version = NULL")
    with pytest.raises(UnknownStream, match="unblock --all"):
        await operator.unblock(stage.steps, "bad")
    assert (await stage.stats()).blocked_streams == 1
    assert (await operator.unblock(stage.steps, None)).total == 1


async def test_a_dead_projector_holds_no_leases(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up(name="dead")
    await stage.sql("UPDATE projectors SET leases_held = 3")
    assert (await stage.known("dead")).leases_held == 0
    await stage.sql("UPDATE projectors SET alive_until = clock_timestamp() + interval '1 minute'")
    assert (await stage.known("dead")).leases_held == 3
