"""Mutants of the proof over HTTP: a target with each fault, caught at level `log`, and which of them at `read-back`.

The table in `docs/method.md` says the same, line by line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import pytest

from bench.ends.errors import RunFailed
from bench.oracle.log import verify
from metrics.records.verification import Verification
from tests.fakes.todo_server import Fault
from tests.integration.projector.stage import faults
from tests.mutants.over_http import proofs

PAGE: Final = Path(__file__).parents[2] / "docs" / "method.md"


class Mutant(NamedTuple):
    """What a target does wrong; what level `log` counts, with and without `applied`; whether read-back sees it."""

    does: str
    log: set[str]
    without_applied: set[str]
    read_back: bool


MUTANTS: Final[dict[Fault, Mutant]] = {
    "forget": Mutant(
        "an update does not take effect", {"lost", "mismatched_rows"}, {"lost", "mismatched_rows"}, read_back=True
    ),
    "duplicate": Mutant("an event takes effect twice", {"duplicated"}, set(), read_back=False),
    "reorder": Mutant("two events of a stream stand in the log in turn", {"reordered"}, {"reordered"}, read_back=False),
    "invent": Mutant("a row is made of which no event tells", {"phantom"}, {"phantom"}, read_back=False),
    "change": Mutant("a row has another text", {"mismatched_rows"}, {"mismatched_rows"}, read_back=True),
    "lose": Mutant("a write is acknowledged before its commit, and lost", {"lost"}, {"lost"}, read_back=True),
    "hide": Mutant("an event takes effect and is not in the log", {"lost"}, {"lost"}, read_back=False),
    "withhold": Mutant(
        "the last event of a stream takes effect and is not in the log", {"invalid"}, {"invalid"}, read_back=False
    ),
}


def kinds(found: Verification | RunFailed) -> set[str]:
    """The kinds of faults that were found; `invalid` where the log does not tell enough to prove or to accuse."""
    if isinstance(found, RunFailed):
        assert "events before what /stats counts" in str(found)
        return {"invalid"}
    return set(faults(found))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is not in the log is not waited for."""
    monkeypatch.setattr(verify, "LATE_S", 0.2)


async def test_a_target_without_a_fault() -> None:
    found = await proofs("none")
    assert isinstance(found.log, Verification)
    assert (kinds(found.log), kinds(found.without_applied), found.read_back.faults) == (set(), set(), [])
    assert found.log.correctness.events_checked == found.read_back.checked > 0
    assert (found.log.level, found.log.unprojected, found.log.offenders) == ("log", 0, [])


@pytest.mark.parametrize("fault", MUTANTS)
async def test_each_fault_is_caught(fault: Fault) -> None:
    mutant = MUTANTS[fault]
    found = await proofs(fault)
    assert kinds(found.log) == mutant.log, found.log
    assert kinds(found.without_applied) == mutant.without_applied, found.without_applied
    assert bool(found.read_back.faults) is mutant.read_back


def test_the_page_says_what_is_caught() -> None:
    told = [
        f"| {mutant.does} | {', '.join(word(kind) for kind in sorted(mutant.log))}{_only(mutant)} |"
        f" {'caught' if mutant.read_back else 'not seen'} |"
        for mutant in MUTANTS.values()
    ]
    assert "\n".join(told) in PAGE.read_text(encoding="utf-8")


def _only(mutant: Mutant) -> str:
    return "" if mutant.without_applied else " (by `applied`)"


def word(kind: str) -> str:
    return {"mismatched_rows": "mismatched", "invalid": "invalid, never a pass"}.get(kind, kind)
