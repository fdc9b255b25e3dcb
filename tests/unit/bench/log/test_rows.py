"""One row against the state that its events make: each kind of fault, and what is merely not projected yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.oracle.log.contract import Todo
from bench.oracle.log.rows import Claims, judge, sound
from bench.oracle.log.streams import State, digest
from bench.oracle.refold import Findings

KINDS = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows")
LIVE = State(3, 30, digest=digest("c"))
GONE = LIVE._replace(deleted=True)
ROW = Todo("t", "c", 3, 3)
ALL = Claims(upto=100, applied=True)


def row(**changes: Any) -> Todo:
    return Todo(**{"id": "t", "text": "c", "version": 3, "applied": 3, **changes})


def found(state: State | None, row: Todo | None, *, text: str | None = "c", claims: Claims = ALL) -> Findings:
    findings = Findings()
    judge("t", state, row, text, claims, findings)
    return findings


def faults(findings: Findings) -> dict[str, int]:
    return {kind: count for kind in KINDS if (count := getattr(findings, kind))}


@pytest.mark.parametrize(
    ("state", "row", "text", "expected", "told"),
    [
        (None, ROW, None, {"phantom": 1}, "phantom: todo t has no events"),
        (LIVE, None, None, {"lost": 3, "mismatched_rows": 1}, "todo t is missing; its events make it version 3"),
        (LIVE, row(version=2, applied=2, text="b"), "b", {"lost": 1, "mismatched_rows": 1}, "its events make it 3"),
        (LIVE, row(version=5, applied=5), "c", {"phantom": 2, "mismatched_rows": 1}, "its events end at 3"),
        (LIVE, row(text="x"), "c", {"mismatched_rows": 1}, "todo t has text 'x', its events make it 'c'"),
        (LIVE, row(version=1, applied=1, text="a"), "a", {"lost": 2, "mismatched_rows": 1}, "its events make it 3"),
        (GONE, row(version=1, applied=1, text="a"), "a", {"lost": 2, "mismatched_rows": 1}, "its events make it 3"),
        (GONE, ROW, "c", {"mismatched_rows": 1}, "todo t is shown, and version 3 deleted it"),
        (LIVE, row(applied=4), "c", {"duplicated": 1}, "4 events took effect in todo t, which is at version 3"),
        (LIVE, row(applied=1), "c", {"lost": 2}, "lost: 1 events took effect in todo t, which is at version 3"),
        (LIVE, row(version=2, applied=3), "b", {"lost": 1, "mismatched_rows": 1}, "lost: todo t is at version 2"),
    ],
)
def test_each_fault_of_a_row(
    state: State | None, row: Todo | None, text: str | None, expected: dict[str, int], told: str
) -> None:
    findings = found(state, row, text=text)
    assert faults(findings) == expected
    assert any(told in line for line in findings.offenders), findings.offenders
    assert row is None or not sound(row, state, ALL)


@pytest.mark.parametrize(("state", "row"), [(LIVE, ROW), (GONE, None), (None, None)])
def test_what_is_as_it_should_be(state: State | None, row: Todo | None) -> None:
    assert faults(found(state, row)) == {}
    assert row is None or sound(row, state, ALL)


def test_without_the_capability_nobody_looks_at_applied() -> None:
    claims = replace(ALL, applied=False)
    for applied in (None, 1, 9):
        assert sound(row(applied=applied), LIVE, claims)
        assert faults(found(LIVE, row(applied=applied), claims=claims)) == {}


HELD_BACK = replace(ALL, whole=False)


@pytest.mark.parametrize(
    ("state", "row"),
    [(None, ROW), (LIVE, None), (LIVE, row(version=5, applied=5, text="x")), (GONE, row(version=5, applied=5))],
)
def test_what_the_missing_end_of_a_log_could_explain_is_no_fault(state: State | None, row: Todo | None) -> None:
    behind = found(state, row, claims=HELD_BACK)
    assert (faults(behind), behind.unprojected) == ({}, 0)
    assert faults(found(state, row))


@pytest.mark.parametrize(
    ("state", "row", "expected"),
    [
        (LIVE, row(version=2, applied=2, text="b"), {"lost": 1, "mismatched_rows": 1}),
        (LIVE, row(text="x"), {"mismatched_rows": 1}),
        (GONE, ROW, {"mismatched_rows": 1}),
        (LIVE, row(applied=4), {"duplicated": 1}),
        (LIVE, row(version=5, applied=6), {"duplicated": 1}),
        (LIVE, row(version=5, applied=4), {"lost": 1}),
    ],
)
def test_what_no_end_of_a_log_could_explain_is_one(state: State, row: Todo, expected: dict[str, int]) -> None:
    assert faults(found(state, row, text=row.text if row.version == 2 else "c", claims=HELD_BACK)) == expected


NOTHING_CLAIMED = Claims(upto=0, applied=True)
LATER_THAN_CLAIMED = Claims(upto=29, applied=True)


@pytest.mark.parametrize("claims", [NOTHING_CLAIMED, LATER_THAN_CLAIMED])
def test_what_is_not_claimed_to_be_projected_is_not_lost(claims: Claims) -> None:
    behind = found(LIVE, row(version=1, applied=1, text="a"), text="a", claims=claims)
    assert (faults(behind), behind.unprojected) == ({}, 2)
    missing = found(LIVE, None, claims=claims)
    assert (faults(missing), missing.unprojected) == ({}, 3)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (row(version=2, applied=2, text="x"), {"mismatched_rows": 1}),
        (row(version=2, applied=3, text="b"), {"duplicated": 1}),
        (row(version=2, applied=1, text="b"), {"lost": 1}),
        (row(version=4, applied=4, text="b"), {"phantom": 1, "mismatched_rows": 1}),
    ],
)
def test_a_row_that_is_behind_is_judged_by_its_own_version(row: Todo, expected: dict[str, int]) -> None:
    assert faults(found(LIVE, row, text="b", claims=NOTHING_CLAIMED)) == expected
