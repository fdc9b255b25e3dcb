"""The rule *may be claimed* stands once, and the index of what is claimable has its condition."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from eventstore import schema
from projection.leases import claimable
from projection.statement.shapes import STREAM_LOCKS

PACKAGE: Final = Path(__file__).parents[3] / "projection"
RULE: Final = re.compile(
    r"leased_until\s+IS\s+NULL\s+OR|retry_at\s+IS\s+NULL\s+OR|pending_since\s+IS\s+NOT\s+NULL\s+AND\s+\S*blocked_at"
)


def spelled(text: str) -> bool:
    """Whether a source spells a part of the rule by itself."""
    return RULE.search(text) is not None


def test_no_other_module_of_the_projection_spells_it() -> None:
    spelling = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if spelled(path.read_text())}
    assert spelling == {"leases/claimable.py"}


@pytest.mark.parametrize(
    "planted",
    [
        "AND (leased_until IS NULL OR leased_until <= :now)",
        "AND (retry_at IS NULL\n     OR retry_at <= clock_timestamp())",
        "WHERE s.pending_since IS NOT NULL AND s.blocked_at IS NULL",
    ],
)
def test_a_second_spelling_is_found(planted: str) -> None:
    assert spelled(planted)


def test_the_index_of_what_is_claimable_has_its_condition() -> None:
    (index,) = (one for one in schema.streams.indexes if one.name == "ix_streams_claimable")
    assert str(index.dialect_options["postgresql"]["where"]) == claimable.PENDING


def test_the_batch_by_locks_claims_by_it() -> None:
    assert STREAM_LOCKS.parts.fence == claimable.stream(claimable.CLOCK)
