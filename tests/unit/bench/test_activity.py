"""The oracle's own count of todos by minute: what it counts, what it leaves out, and what it names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bench.oracle.activity import Activity
from bench.oracle.refold import Event, Findings, Head, Stream

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEXT = NOON + timedelta(minutes=1)


def stream(*events: tuple[str, datetime], projected: int | None = None) -> Stream:
    """A stream with these events, projected up to a version; None: all of it."""
    stored = [Event(number, number, type, {}, at) for number, (type, at) in enumerate(events, start=1)]
    return Stream("todo-1", stored, head=Head(len(stored), len(stored) if projected is None else projected))


LIFE = stream(
    ("TodoCreated", NOON + timedelta(seconds=1)),
    ("TodoUpdated", NOON + timedelta(seconds=59, microseconds=999_999)),
    ("TodoUpdated", NEXT),
    ("TodoDeleted", NEXT + timedelta(seconds=30)),
    ("SomethingElse", NEXT),
)
RIGHT = {NOON: {"created": 1, "updated": 1, "deleted": 0}, NEXT: {"created": 0, "updated": 1, "deleted": 1}}


def offenders(found: dict[datetime, dict[str, int]], *streams: Stream, complete: bool = True) -> list[str]:
    """What the fold of the streams finds wrong with the read model."""
    activity, findings = Activity(), Findings()
    for one in streams:
        activity.add(one, complete=complete)
    activity.judge(found, findings)
    assert findings.mismatched_rows == len(findings.offenders)
    return findings.offenders


def test_each_event_counts_in_the_minute_in_which_it_was_recorded() -> None:
    assert offenders(RIGHT, LIFE) == []


def test_streams_add_up_and_a_minute_is_one_of_utc_wherever_the_clock_stands() -> None:
    tehran = timezone(timedelta(hours=3, minutes=30))
    other = stream(("TodoCreated", (NOON + timedelta(seconds=5)).astimezone(tehran)))
    assert offenders({**RIGHT, NOON: {"created": 2, "updated": 1, "deleted": 0}}, LIFE, other) == []


def test_what_is_not_projected_yet_counts_only_where_everything_should_be() -> None:
    half = stream(("TodoCreated", NOON), ("TodoDeleted", NEXT), projected=1)
    one = {NOON: {"created": 1, "updated": 0, "deleted": 0}}
    assert offenders(one, half, complete=False) == []
    assert len(offenders(one, half)) == 1


@pytest.mark.parametrize(
    ("minute", "told"),
    [
        (NOON, {"created": 2, "updated": 1, "deleted": 0}),
        (NEXT, {"created": 0, "updated": 0, "deleted": 1}),
        (NEXT + timedelta(minutes=1), {"created": 1, "updated": 0, "deleted": 0}),
    ],
    ids=["doubled", "lost", "of nothing"],
)
def test_a_minute_that_says_something_else_is_named(minute: datetime, told: dict[str, int]) -> None:
    (line,) = offenders({**RIGHT, minute: told}, LIFE)
    assert line.startswith(f"mismatched: activity of {minute} says {told}, its events make it ")


def test_a_minute_that_is_missing_is_named() -> None:
    (line,) = offenders({NOON: RIGHT[NOON]}, LIFE)
    assert (
        line == f"mismatched: activity of {NEXT} says {dict.fromkeys(RIGHT[NEXT], 0)}, its events make it {RIGHT[NEXT]}"
    )
