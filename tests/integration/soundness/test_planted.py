"""With the checks removed, what `test_order_broken` does to the store loses events, and the re-fold oracle says so."""

from __future__ import annotations

import importlib

import asyncpg
import pytest

from eventstore.errors import StoreUnsound
from eventstore.events import ExpectedVersion
from eventstore.postgres import Database, PostgresEventStore
from tests.integration.projector.stage import CREATED, Stage, Unchecked, faults
from tests.integration.soundness.test_order_broken import BREAKS, history

before = importlib.import_module("migrations.versions.0003_sound_order")

UNCHECKED = (
    "DROP TRIGGER check_position ON events",
    "ALTER TABLE events ENABLE TRIGGER announce_writer",
    before.ANNOUNCE_WRITER_BEFORE,
    before.SAFE_POSITION_BEFORE,
)


async def remove_the_checks(stage: Stage) -> None:
    for statement in UNCHECKED:
        await stage.sql(statement)


async def append_whatever_comes(stage: Stage, store: PostgresEventStore, name: str) -> None:
    """As a caller who tries once, and believes each acknowledgement."""
    try:
        await store.append(name, [CREATED], expected=ExpectedVersion(0))
    except (asyncpg.UniqueViolationError, StoreUnsound):
        return
    stage.versions[name] = 1


async def lost(stage: Stage, *, checked: bool) -> int:
    """Catch up, and ask the oracle how many acknowledged events never took effect."""
    await stage.catch_up(serial=True, check=None if checked else Unchecked())
    return faults(await stage.oracle(serial=True)).get("lost", 0)


@pytest.mark.parametrize("name", ["set back to the start", "set back to the hole", "restarted"])
@pytest.mark.parametrize("checked", [True, False], ids=["checked", "planted"])
async def test_a_sequence_that_was_set_back(stage: Stage, name: str, checked: bool) -> None:
    await history(stage)
    if not checked:
        await remove_the_checks(stage)
    await stage.sql(BREAKS[name].act)
    for number in range(16):
        await append_whatever_comes(stage, stage.store, f"after-{number}")

    if checked:
        with pytest.raises(StoreUnsound):
            await lost(stage, checked=True)
    else:
        assert await lost(stage, checked=False) == 2


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "planted"])
async def test_a_sequence_with_a_cache_and_two_sessions(stage: Stage, checked: bool) -> None:
    """Each session has twenty positions at hand; one uses its own after the reader has passed the other's."""
    if not checked:
        await remove_the_checks(stage)
    await stage.sql(BREAKS["cache"].act)
    async with Database(stage.url, pool_size=1) as one, Database(stage.url, pool_size=1) as two:
        for number, database in enumerate((one, two, one)):
            store = PostgresEventStore(database)
            await append_whatever_comes(stage, store, f"todo-{number}")
            if number == 1:
                await stage.catch_up(serial=True, check=Unchecked())
            await store.close()

    if checked:
        assert "todo-2" not in stage.versions
        with pytest.raises(StoreUnsound, match="CACHE 20"):
            await lost(stage, checked=True)
    else:
        assert await lost(stage, checked=False) == 1


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "planted"])
async def test_a_log_that_begins_again_below_the_cursor(stage: Stage, checked: bool) -> None:
    await history(stage)
    if not checked:
        await remove_the_checks(stage)
    await stage.sql(BREAKS["log begun again"].act)
    stage.versions.clear()
    for number in range(16):
        await append_whatever_comes(stage, stage.store, f"after-{number}")

    if checked:
        with pytest.raises(StoreUnsound, match="though the serial cursor has passed it and stands at 12"):
            await lost(stage, checked=True)
    else:
        assert await lost(stage, checked=False) == 12


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "planted"])
async def test_a_writer_that_is_not_announced(stage: Stage, checked: bool) -> None:
    """The triggers were off while it wrote; whoever reads the order passes over it before it commits."""
    writer = await asyncpg.connect(stage.url)
    if not checked:
        await remove_the_checks(stage)
    await stage.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    await writer.execute(
        "BEGIN; INSERT INTO streams (stream, version, pending_since) VALUES ('late', 1, now());"
        """INSERT INTO events (stream, version, type, data) VALUES ('late', 1, 'TodoCreated', '{"text": "milk"}');"""
        "INSERT INTO tallies (slot, events, streams) VALUES (2000, 1, 1)"
    )
    await stage.append("early", CREATED)
    await stage.catch_up(serial=True, check=Unchecked())
    await writer.execute("COMMIT")
    await writer.close()
    stage.versions["late"] = 1
    await stage.sql("ALTER TABLE events ENABLE TRIGGER ALL")

    if checked:
        with pytest.raises(StoreUnsound, match="version 1 of stream late, at position 1, is not projected"):
            await lost(stage, checked=True)
    else:
        assert await lost(stage, checked=False) == 1
