"""What DBAs, restores and promotions do to the global order: no acknowledged event is lost, or a refusal names why."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest

from eventstore.errors import StoreUnsound
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding
from projection.operator.positions import positions
from projection.operator.steps import Steps
from tests.integration.projector.process import run
from tests.integration.projector.stage import CREATED, Stage, until

ROLLED_BACK: Final = """
DO $$ BEGIN
  INSERT INTO events (stream, version, type, data) SELECT 'gone-' || n, 1, 'A', '{}' FROM generate_series(1, 2) n;
  RAISE EXCEPTION 'undone';
EXCEPTION WHEN raise_exception THEN NULL;
END $$
"""


@dataclass(frozen=True)
class Break:
    """What somebody does to the store, what undoes it, and the check that names it."""

    act: str
    undo: str
    named: str
    passes: bool = False
    """Over with the next event, which lies above all that was read."""


SEQUENCE: Final = "events_position_seq"
BREAKS: Final = {
    "set back to the start": Break(f"SELECT setval('{SEQUENCE}', 1, false)", "", "sequence"),
    "set back, called": Break(f"SELECT setval('{SEQUENCE}', 1)", "", "sequence"),
    "set back to the hole": Break(f"SELECT setval('{SEQUENCE}', 6)", "", "sequence"),
    "restarted": Break(f"ALTER SEQUENCE {SEQUENCE} RESTART WITH 7", "", "sequence"),
    "cache": Break(f"ALTER SEQUENCE {SEQUENCE} CACHE 20", f"ALTER SEQUENCE {SEQUENCE} CACHE 1", "sequence"),
    "cycle": Break(
        f"ALTER SEQUENCE {SEQUENCE} MAXVALUE 14 CYCLE", f"ALTER SEQUENCE {SEQUENCE} NO MAXVALUE NO CYCLE", "sequence"
    ),
    "exhausted": Break(f"ALTER SEQUENCE {SEQUENCE} MAXVALUE 12", f"ALTER SEQUENCE {SEQUENCE} NO MAXVALUE", "sequence"),
    "downwards": Break(
        f"ALTER SEQUENCE {SEQUENCE} INCREMENT BY -1 MINVALUE 1 MAXVALUE 1000",
        f"ALTER SEQUENCE {SEQUENCE} INCREMENT BY 1 NO MINVALUE NO MAXVALUE",
        "sequence",
    ),
    "log emptied": Break(
        "TRUNCATE events, streams, todos, todo_tallies, tallies, projection_audit", "", "cursor", passes=True
    ),
    "log begun again": Break(
        "TRUNCATE events, streams, todos, todo_tallies, tallies, projection_audit RESTART IDENTITY", "", "cursor"
    ),
    "a trigger off": Break(
        "ALTER TABLE events DISABLE TRIGGER announce_writer",
        "ALTER TABLE events ENABLE ALWAYS TRIGGER announce_writer",
        "trigger",
    ),
    "the other trigger off": Break(
        "ALTER TABLE events DISABLE TRIGGER check_position",
        "ALTER TABLE events ENABLE TRIGGER check_position",
        "trigger",
    ),
}


async def history(stage: Stage) -> None:
    """Six todos, two positions that were rolled back, four more todos; all projected by the serial mode."""
    for number in range(6):
        await stage.append(f"before-{number}", CREATED)
    await stage.sql(ROLLED_BACK)
    for number in range(6, 10):
        await stage.append(f"before-{number}", CREATED)
    await stage.catch_up(serial=True)
    assert await stage.value("SELECT position FROM cursors") == 12


async def sixteen(stage: Stage) -> list[StoreUnsound]:
    """Sixteen more todos, whoever gets through; the refusals of the others."""
    refused = []
    for number in range(16):
        try:
            await stage.append(f"after-{number}", CREATED)
        except StoreUnsound as error:
            refused.append(error)
    return refused


async def findings(stage: Stage) -> tuple[Finding, ...]:
    async with stage.database.connection() as connection:
        return await Check({}).findings(connection)


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS.keys())
async def test_nothing_acknowledged_is_lost(stage: Stage, broken: Break) -> None:
    await history(stage)
    await stage.sql(broken.act)
    if "TRUNCATE" in broken.act:
        stage.versions.clear()

    assert broken.named in {finding.check for finding in await findings(stage)}
    await sixteen(stage)
    if not broken.passes:
        with pytest.raises(StoreUnsound):
            await stage.catch_up(serial=True)

    if broken.undo:
        await stage.sql(broken.undo)
    await positions(Steps(stage.database))
    assert await findings(stage) == ()
    await stage.append("at last", CREATED)
    await stage.catch_up(serial=True)
    await stage.assert_right(serial=True)


async def test_a_sequence_that_was_set_back_refuses_each_append_by_name(stage: Stage) -> None:
    await history(stage)
    await stage.sql(BREAKS["set back to the start"].act)

    refused = await sixteen(stage)
    assert len(refused) == 16
    assert {str(error) for error in refused} == {
        "the sequence events_position_seq stands at 0, below the newest event at 12;"
        " run `python -m services.projector positions`"
    }


async def test_the_operators_command_says_what_it_did_and_what_is_left(stage: Stage) -> None:
    """As the operator's role, which may not lock the table; exit code 1 while something is to be done by hand."""
    await history(stage)
    nothing = await run(stage.url, "positions")
    assert (nothing.code, nothing.out) == (
        0,
        "nothing to repair: the sequence stands at 12, the newest event at 12\n",
    ), nothing.err

    await stage.sql(BREAKS["set back to the hole"].act)
    await stage.sql(BREAKS["cache"].act)
    ended = await run(stage.url, "positions")
    assert ended.code == 1
    assert "stood at 6, the newest event at 12: positions go on after 12" in ended.out
    assert "still: the sequence events_position_seq has CACHE 20" in ended.out
    assert "ALTER SEQUENCE events_position_seq CACHE 1" in ended.out

    await stage.sql(BREAKS["cache"].undo)
    await stage.sql("UPDATE cursors SET position = 40")
    ended = await run(stage.url, "positions")
    assert ended.code == 0, ended.err
    assert "positions go on after 40" in ended.out
    assert "the serial cursor stood at 40, where the newest event is 12: it goes on after 12" in ended.out
    await stage.append("at last", CREATED)
    await stage.catch_up(serial=True)
    await stage.assert_right(serial=True)


async def test_a_cursor_that_is_taken_away_while_all_runs(stage: Stage) -> None:
    """As by a restore of some tables: without one there is no lease to be had, and no reason to be seen."""
    await history(stage)
    async with stage.projector(serial=True, lease=timedelta(seconds=0.9)) as projector:
        await stage.append("first", CREATED)
        await until(stage.projected, "the first")
        await stage.sql("DELETE FROM cursors")
        await stage.append("second", CREATED)
        await until(stage.projected, "what came later")
        assert not projector.task.done()
    await stage.assert_right(serial=True)


async def test_a_hole_at_the_end_that_is_given_out_again(stage: Stage) -> None:
    """The end of the log was rolled back and read, and the sequence then set to the newest event: nothing is left."""
    await history(stage)
    await stage.sql(ROLLED_BACK)
    async with stage.projector(serial=True, lease=timedelta(seconds=1)):
        await stage.append("first", CREATED)
        await until(stage.projected, "the first")
        await stage.sql(ROLLED_BACK)
        await asyncio.sleep(0.2)
        await stage.sql("SELECT setval('events_position_seq', (SELECT max(position) FROM events))")
        await stage.append("second", CREATED)
        await until(stage.projected, "an event at a position that was read already")
    await stage.assert_right(serial=True)
