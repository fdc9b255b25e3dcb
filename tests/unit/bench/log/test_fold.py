"""The fold of a log: what each stream comes to, and each way in which a log can be wrong, counted as what it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.oracle.log.contract import Event
from bench.oracle.log.fold import Fold
from bench.oracle.log.streams import State, Streams, digest

KINDS = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows")
Told = tuple[str, int] | tuple[str, int, str] | tuple[str, int, str, Any]


def events(*told: Told) -> list[Event]:
    """Events of streams and versions, in this order; type and data as they should be where none are given."""
    made = []
    for position, (stream, version, *more) in enumerate(told, start=1):
        kind = more[0] if more else "TodoCreated" if version == 1 else "TodoUpdated"
        data = more[1] if len(more) > 1 else {} if kind == "TodoDeleted" else {"text": f"{stream}{version}"}
        made.append(Event(position, stream, version, kind, data))
    return made


def folded(log: Iterable[Event]) -> Fold:
    fold = Fold()
    for event in log:
        fold.add(event)
    fold.end()
    return fold


def faults(fold: Fold) -> dict[str, int]:
    return {kind: count for kind in KINDS if (count := getattr(fold.findings, kind))}


def test_streams_come_to_their_last_version_text_and_end() -> None:
    fold = folded(events(("a", 1), ("b", 1), ("a", 2), ("b", 2, "TodoDeleted")))
    assert faults(fold) == {}
    assert fold.findings.events == 4
    assert dict(fold.streams) == {
        "a": State(2, 3, digest=digest("a2")),
        "b": State(2, 4, deleted=True, digest=digest("b1")),
    }


@pytest.mark.parametrize(
    ("log", "expected", "told"),
    [
        ([("a", 1), ("a", 3)], {"lost": 1}, "lost: 1 versions of a are not in the log, 2 the first of them"),
        ([("a", 4)], {"lost": 3, "mismatched_rows": 0}, "lost: 3 versions of a are not in the log, 1 the first"),
        ([("a", 1), ("a", 3), ("a", 2)], {"reordered": 1}, "reordered: version 2 of a stands after 3 in the log"),
        ([("a", 1), ("a", 5), ("a", 3)], {"reordered": 1, "lost": 2}, "lost: 2 versions of a"),
        ([("a", 1), ("a", 2), ("a", 2)], {"duplicated": 1}, "duplicated: version 2 of a stands in the log again"),
        ([("a", 1), ("a", 3), ("a", 2), ("a", 2)], {"reordered": 1, "duplicated": 1}, "stands in the log again"),
        ([("a", 1), ("a", 2, "TodoSold")], {"mismatched_rows": 1}, "no history of a todo: unknown type 'TodoSold'"),
        ([("a", 1, "TodoUpdated")], {"mismatched_rows": 1}, "TodoUpdated at version 1"),
        ([("a", 1), ("a", 2, "TodoCreated")], {"mismatched_rows": 1}, "TodoCreated at version 2"),
        ([("a", 1), ("a", 2, "TodoDeleted"), ("a", 3)], {"mismatched_rows": 1}, "TodoUpdated after the deletion"),
        ([("a", 1, "TodoCreated", {})], {"mismatched_rows": 1}, "TodoCreated without text"),
        ([("a", 1, "TodoCreated", [])], {"mismatched_rows": 1}, "TodoCreated without text"),
        ([("a", 1), ("a", 2, "TodoUpdated", {"text": 7})], {"mismatched_rows": 1}, "TodoUpdated without text"),
    ],
)
def test_each_fault_of_a_log(log: list[Told], expected: dict[str, int], told: str) -> None:
    fold = folded(events(*log))
    assert faults(fold) == {kind: count for kind, count in expected.items() if count}
    assert any(told in line for line in fold.findings.offenders), fold.findings.offenders


def test_positions_that_do_not_increase_are_reordered() -> None:
    one, two, three = events(("a", 1), ("b", 1), ("c", 1))
    fold = folded([one, three, two])
    assert faults(fold) == {"reordered": 1}
    assert fold.findings.offenders == ["reordered: position 2 stands after 3 in the log"]


def test_a_stream_that_is_no_history_counts_once() -> None:
    fold = folded(events(("a", 1, "TodoUpdated"), ("a", 2, "TodoSold"), ("a", 3, "TodoCreated")))
    assert faults(fold) == {"mismatched_rows": 1}
    assert fold.broken == {"a"}


@pytest.mark.parametrize(
    ("log", "counted", "untold"),
    [
        ([("a", 1), ("a", 2)], 2, 0),
        ([("a", 1), ("a", 2)], 5, 3),
        ([("a", 1), ("a", 2)], 1, 0),
        ([("a", 1), ("a", 3)], 3, 0),
        ([("a", 1), ("a", 3)], 4, 1),
        ([("a", 1), ("a", 3), ("a", 2)], 4, 1),
        ([("a", 1), ("a", 2), ("a", 2)], 3, 1),
    ],
)
def test_what_a_log_does_not_tell_is_what_is_counted_beyond_it_and_beyond_what_is_lost(
    log: list[Told], counted: int, untold: int
) -> None:
    fold = Fold()
    for event in events(*log):
        fold.add(event)
    assert fold.untold(counted) == untold


def test_a_gap_of_a_billion_versions_is_counted_without_walking_it() -> None:
    assert folded(events(("a", 1), ("a", 10**9))).findings.lost == 10**9 - 2


@given(st.permutations(range(1, 8)), st.data())
def test_every_version_is_lost_reordered_or_in_its_place(order: list[int], data: st.DataObject) -> None:
    """Whatever is missing and in whatever order: each version of 1 to the highest counts once."""
    there = [version for version in order if data.draw(st.booleans())]
    fold = folded(events(*(("a", version) for version in there)))
    highest = max(there, default=0)
    assert fold.findings.lost == highest - len(there)
    ahead = [version for place, version in enumerate(there) if version < max(there[: place + 1])]
    assert fold.findings.reordered == len(ahead)
    assert (fold.findings.duplicated, fold.gaps) == (0, {})
    state = fold.streams["a"]
    assert (state.version if state else 0) == highest


LARGE = st.integers(0, 2**63 - 1)


@given(st.builds(State, LARGE, LARGE, st.booleans(), st.booleans(), st.binary(min_size=8, max_size=8)))
def test_a_state_is_remembered_as_it_was(state: State) -> None:
    streams = Streams()
    streams["a"] = state
    assert streams["a"] == state
    assert streams["b"] is None
    assert (len(streams), list(streams)) == (1, [("a", state)])
