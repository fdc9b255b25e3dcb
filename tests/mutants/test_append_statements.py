"""Each append statement with a bug in it ends otherwise than the other statements do."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any, Final

import asyncpg
import pytest

from eventstore.append import batched, general, single
from eventstore.append.statements import Name
from tests.cluster import Cluster
from tests.integration.eventstore.append_ends import CASES, one_event, result

MUTANTS: Final[dict[str, tuple[ModuleType, str, Name, str, str]]] = {
    "first: not counted": (single, "APPEND_FIRST", "single", "1, 1 FROM head", "1, 1 FROM head LIMIT 0"),
    "first: streams not counted": (single, "APPEND_FIRST", "single", "1, 1 FROM head", "1, 0 FROM head"),
    "first: an existing head moves": (
        single,
        "APPEND_FIRST",
        "single",
        "ON CONFLICT (stream) DO NOTHING",
        "ON CONFLICT (stream) DO UPDATE SET version = streams.version + 1",
    ),
    "first: impatient": (single, "APPEND_FIRST", "single", "'500ms', true", "'1ms', true"),
    "next: any version": (single, "APPEND_NEXT", "single", "AND s.version = ", "AND s.version >= "),
    "next: not counted": (single, "APPEND_NEXT", "single", "1, 0 FROM head", "0, 0 FROM head"),
    "next: pending anew": (
        single,
        "APPEND_NEXT",
        "single",
        "coalesce(s.pending_since, clock_timestamp())",
        "clock_timestamp()",
    ),
    "batched: any version": (batched, "APPEND_BATCHED", "batched", "AND s.version = ", "AND s.version >= "),
    "batched: not counted": (batched, "APPEND_BATCHED", "batched", "WHERE locked.heads > 0\n  ON", "WHERE false\n  ON"),
    "batched: pending anew": (
        batched,
        "APPEND_BATCHED",
        "batched",
        "coalesce(s.pending_since, clock_timestamp())",
        "clock_timestamp()",
    ),
    "batched: an existing head moves": (
        batched,
        "APPEND_BATCHED",
        "batched",
        "ON CONFLICT (stream) DO NOTHING",
        "ON CONFLICT (stream) DO UPDATE SET version = streams.version + 1",
    ),
    "general: any version": (
        general,
        "APPEND",
        "general",
        "AND locked.version = locked.expected",
        "AND locked.version >= locked.expected",
    ),
    "general: not counted": (general, "APPEND", "general", "WHERE written.events > 0", "WHERE false"),
    "general: pending anew": (
        general,
        "APPEND",
        "general",
        "coalesce(s.pending_since, clock_timestamp())",
        "clock_timestamp()",
    ),
}


async def ends(connection: asyncpg.Connection, name: Name) -> dict[str, list[Any]]:
    """How each case ends by one statement."""
    return {
        case: await result(connection, name, before, one_event(expected))
        for case, (before, expected, _) in CASES.items()
    }


@pytest.fixture(scope="module")
def empty_store(cluster: Cluster) -> str:
    """One database, which every case leaves as it was."""
    return cluster.create()


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_statement_with_a_bug_is_caught(empty_store: str, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    module, attribute, name, right, wrong = MUTANTS[mutant]
    sound = getattr(module, attribute)
    assert sound.sql.count(right) == 1
    connection = await asyncpg.connect(empty_store)
    try:
        expected = await ends(connection, "batched" if name == "general" else "general")
        assert await ends(connection, name) == expected

        planted = copy.copy(sound)
        planted.sql = sound.sql.replace(right, wrong)
        monkeypatch.setattr(module, attribute, planted)

        assert await ends(connection, name) != expected
    finally:
        await connection.close()
