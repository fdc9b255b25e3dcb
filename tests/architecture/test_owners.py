"""Who owns a table writes it: the store its log and heads, the projection its checkpoints, leases and counters."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
# Not the lock (FOR UPDATE SKIP LOCKED), nor the end of an upsert (DO UPDATE SET), whose table stands before it.
WRITES: Final = re.compile(r"(?:INSERT INTO|DELETE FROM|(?<!FOR )(?<!DO )UPDATE) ([a-z_]+)\b")

# The head of a stream and its checkpoint are one row, and so are the counters of a process: there the owner is by
# column, which the privileges say (`eventstore.soundness.rights`).
REBUILT: Final = {"rebuild_record", "rebuild_streams", "rebuild_differences"}
"""In the schema of a rebuild's shadow, and gone with it."""
OWNED: Final = {
    "eventstore": {"events", "streams", "idempotency_keys", "tallies"},
    "projection": {"streams", "tallies", "cursors", "projectors", "projection_audit", "kept_read_models", *REBUILT},
    "services": set[str](),
}


def written(text: str) -> set[str]:
    """The tables that SQL of a source writes."""
    return set(WRITES.findall(text))


@pytest.mark.parametrize("package", OWNED)
def test_a_package_writes_its_own_tables_and_no_others(package: str) -> None:
    found = {table for path in (ROOT / package).rglob("*.py") for table in written(path.read_text(encoding="utf-8"))}
    assert found == OWNED[package]


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO cursors (name) VALUES (:name)",
        "WITH x AS (UPDATE cursors c SET position = 1)",
        "DELETE FROM cursors",
    ],
)
def test_a_write_is_found(text: str) -> None:
    assert written(text) == {"cursors"}


def test_a_lock_and_an_upsert_are_no_second_write() -> None:
    text = "SELECT FOR UPDATE SKIP LOCKED; INSERT INTO tallies (slot) VALUES (1) ON CONFLICT DO UPDATE SET x = 1"
    assert written(text) == {"tallies"}
