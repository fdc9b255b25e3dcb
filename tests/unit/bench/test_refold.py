"""The re-fold oracle on one stream: every kind of fault is counted as what it is, and sound streams are sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from bench.oracle.refold import Batch, Event, Findings, Head, NotFoldable, Row, Stream, fold, judge

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows")


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def event(version: int, type: str = "TodoUpdated", text: str | None = None) -> Event:
    data = {} if type == "TodoDeleted" else {"text": text or f"text {version}"}
    return Event(version, 10 * version, type, data, at(version))


def sound(versions: int = 3) -> Stream:
    """A stream of creations and updates, projected one by one."""
    events = [event(1, "TodoCreated"), *(event(version) for version in range(2, versions + 1))]
    return Stream(
        name="todo-1",
        events=events,
        batches=[Batch(version, version, at(100 + version)) for version in range(1, versions + 1)],
        head=Head(versions, versions),
        row=Row(f"text {versions}", at(1), at(versions), versions, False),
        applied=versions,
    )


def deleted() -> Stream:
    stream = sound(2)
    stream.events.append(event(3, "TodoDeleted"))
    stream.batches, stream.head = [Batch(1, 3, at(200))], Head(3, 3)
    stream.row, stream.applied = Row("text 2", at(1), at(3), 3, True), 3
    return stream


def half() -> Stream:
    """Two of three events are projected."""
    stream = sound()
    stream.batches.pop()
    stream.head = Head(3, 2)
    stream.row, stream.applied = Row("text 2", at(1), at(2), 2, False), 2
    return stream


def found(stream: Stream, *, complete: bool = True, cursor: int = 0) -> Findings:
    findings = Findings()
    judge(stream, findings, complete=complete, cursor=cursor)
    return findings


def faults(findings: Findings) -> dict[str, int]:
    return {kind: count for kind in KINDS if (count := getattr(findings, kind))}


@pytest.mark.parametrize("stream", [sound(), sound(1), sound(50), deleted()])
def test_a_sound_stream_has_no_fault(stream: Stream) -> None:
    findings = found(stream)
    assert faults(findings) == {}
    assert (findings.offenders, findings.unprojected, findings.events) == ([], 0, len(stream.events))


def test_what_is_not_projected_yet_is_no_fault_of_an_incomplete_run() -> None:
    findings = found(half(), complete=False)
    assert (faults(findings), findings.unprojected) == ({}, 1)


Change = Callable[[Stream], None]


def lose_effect(stream: Stream) -> None:
    del stream.batches[1]


def lose_event(stream: Stream) -> None:
    del stream.events[1]


def project_twice(stream: Stream) -> None:
    stream.batches.append(Batch(2, 3, at(300)))


def project_late(stream: Stream) -> None:
    stream.batches = [stream.batches[0], stream.batches[2], stream.batches[1]]


def project_beyond(stream: Stream) -> None:
    stream.batches.append(Batch(4, 9, at(300)))


def project_before_the_first(stream: Stream) -> None:
    stream.batches.insert(0, Batch(0, 0, at(50)))


def row_without_events(stream: Stream) -> None:
    stream.events.clear()
    stream.batches.clear()
    stream.head = None


def batches_without_events(stream: Stream) -> None:
    stream.events.clear()
    stream.head = stream.row = None


def no_row(stream: Stream) -> None:
    stream.row = None


def change_row(**values: object) -> Change:
    def change(stream: Stream) -> None:
        assert stream.row is not None
        stream.row = replace(stream.row, **values)  # type: ignore[arg-type]

    return change


def head_behind(stream: Stream) -> None:
    stream.head = Head(2, 2)


def apply_again(stream: Stream) -> None:
    stream.applied = 4


def apply_again_with_audit(stream: Stream) -> None:
    stream.batches.append(Batch(2, 3, at(300)))
    stream.applied = 5


def apply_less(stream: Stream) -> None:
    stream.applied = 1


def skip(stream: Stream) -> None:
    """The checkpoint and the row pass over an event, which nothing hides: it is lost once, and not twice."""
    del stream.batches[1]
    stream.applied = 2


def no_head(stream: Stream) -> None:
    stream.head = None


def no_history(stream: Stream) -> None:
    stream.events[0] = replace(stream.events[0], type="TodoDeleted")


FAULTS: Final = [
    (lose_effect, {"lost": 1}, "lost: version 2 of todo-1 (TodoUpdated, position 20) never took effect"),
    (lose_event, {"lost": 1, "phantom": 1}, "lost: 1 of the versions 1 to 3 of todo-1 are not in the store"),
    (project_twice, {"duplicated": 2}, "duplicated: version 2 of todo-1 took effect again"),
    (project_late, {"reordered": 1}, "reordered: version 2 of todo-1 took effect after 3"),
    (project_beyond, {"phantom": 6}, "phantom: 6 of versions 4-9 of todo-1 do not exist"),
    (project_before_the_first, {"phantom": 1}, "phantom: 1 of versions 0-0 of todo-1 do not exist"),
    (row_without_events, {"phantom": 1}, "phantom: todo todo-1 has no events"),
    (batches_without_events, {"phantom": 3}, "phantom: 1 of versions 1-1 of todo-1 do not exist"),
    (no_row, {"mismatched_rows": 1}, "mismatched: todo todo-1 is missing; its events make it version 3"),
    (change_row(text="x"), {"mismatched_rows": 1}, "has text 'x', its events make it 'text 3'"),
    (change_row(version=2), {"mismatched_rows": 1}, "has version 2, its events make it 3"),
    (change_row(deleted=True), {"mismatched_rows": 1}, "has deleted True, its events make it False"),
    (change_row(updated_at=at(9)), {"mismatched_rows": 1}, "has updated_at"),
    (change_row(created_at=at(9)), {"mismatched_rows": 1}, "has created_at"),
    (apply_again, {"duplicated": 1}, "duplicated: 4 events took effect in todo todo-1, which is at version 3"),
    (apply_again_with_audit, {"duplicated": 2}, "duplicated: version 3 of todo-1 took effect again"),
    (apply_less, {"lost": 2}, "lost: 1 events took effect in todo todo-1, which is at version 3"),
    (skip, {"lost": 1}, "lost: version 2 of todo-1 (TodoUpdated, position 20) never took effect"),
    (head_behind, {"mismatched_rows": 1}, "the head of todo-1 is at version 2, its events end at 3"),
    (no_head, {"mismatched_rows": 1}, "the head of todo-1 is at version 0, its events end at 3"),
    (no_history, {"mismatched_rows": 1}, "no history of a todo: TodoDeleted where nothing was created"),
]
CHANGES: Final = [change for change, *_ in FAULTS]
"""Each way in which a stream can be wrong."""


@pytest.mark.parametrize(("change", "expected", "told"), FAULTS)
def test_each_fault_is_counted_as_what_it_is_and_named(change: Change, expected: dict[str, int], told: str) -> None:
    stream = sound()
    change(stream)
    findings = found(stream)
    assert faults(findings) == expected
    assert any(told in line for line in findings.offenders), findings.offenders


@pytest.mark.parametrize(
    ("complete", "cursor", "lost", "unprojected"),
    [(False, 0, 0, 1), (False, 29, 0, 1), (False, 30, 1, 0), (False, 99, 1, 0), (True, 0, 1, 0)],
)
def test_what_a_reader_of_the_global_order_passed_over_is_lost(
    complete: bool, cursor: int, lost: int, unprojected: int
) -> None:
    findings = found(half(), complete=complete, cursor=cursor)
    assert (findings.lost, findings.unprojected) == (lost, unprojected)


def test_what_the_checkpoint_passed_over_is_lost_even_in_an_incomplete_run() -> None:
    stream = half()
    del stream.batches[1]
    findings = found(stream, complete=False)
    assert (findings.lost, findings.unprojected) == (1, 1)


def test_a_row_ahead_of_the_checkpoint_is_a_fault() -> None:
    stream = half()
    stream.row = sound().row
    assert faults(found(stream, complete=False)) == {"mismatched_rows": 1}


def test_a_row_before_its_first_event_took_effect_is_a_fault() -> None:
    stream = sound(1)
    stream.batches.clear()
    stream.head = Head(1, 0)
    findings = found(stream, complete=False)
    assert faults(findings) == {"mismatched_rows": 1}
    assert "exists before its first event took effect" in findings.offenders[0]


def test_only_the_first_offenders_are_kept_and_all_are_counted() -> None:
    stream = sound(50)
    stream.batches.clear()
    findings = found(stream)
    assert (findings.lost, len(findings.offenders)) == (50, 10)


def test_a_claim_of_a_billion_versions_is_counted_without_walking_them() -> None:
    stream = sound()
    stream.batches.append(Batch(4, 10**9, at(300)))
    assert found(stream).phantom == 10**9 - 3


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([event(1)], "TodoUpdated where nothing was created"),
        ([event(1, "TodoCreated"), event(2, "TodoCreated")], "unexpected TodoCreated"),
        ([event(1, "TodoCreated"), event(2, "TodoDeleted"), event(3)], "TodoUpdated after the deletion"),
        ([event(1, "TodoCreated"), event(2, "TodoSold")], "unexpected TodoSold"),
        ([replace(event(1, "TodoCreated"), data={})], "TodoCreated without text"),
    ],
)
def test_events_that_are_no_history_are_refused(events: list[Event], complaint: str) -> None:
    with pytest.raises(NotFoldable, match=complaint):
        fold(events)


def test_no_events_make_no_row() -> None:
    assert fold([]) is None
