"""What DBAs, restores and promotions do to the global order: no acknowledged event is lost, or a refusal names why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from eventstore.errors import StoreUnsound
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding
from services.projector.operator.positions import positions
from services.projector.operator.steps import Steps
from tests.integration.projector.stage import CREATED, Stage

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
    await stage.drain(serial=True)
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
            await stage.drain(serial=True)

    if broken.undo:
        await stage.sql(broken.undo)
    await positions(Steps(stage.database))
    assert await findings(stage) == ()
    await stage.append("at last", CREATED)
    await stage.drain(serial=True)
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
