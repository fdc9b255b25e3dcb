"""The oracle's judgment of one stream: fold its events anew and hold the projection against them. Pure.

It shares no code with the projection on purpose, so that one mistake can not hide in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream, as stored."""

    version: int
    position: int
    type: str
    data: Any
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """One row of the projection's audit: versions `first` to `last` took effect at `projected_at`."""

    first: int
    last: int
    projected_at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A todo as it should be, or as it is."""

    text: str
    created_at: datetime
    updated_at: datetime
    version: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class Head:
    """What the store says of a stream: its last version and its checkpoint."""

    version: int
    projected: int


@dataclass(slots=True)
class Stream:
    """Everything that the store and the projection say of one stream; events by version, batches by time.

    `applied` is how many events took effect in the row, as it says itself; None without a row.
    """

    name: str
    events: list[Event] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    head: Head | None = None
    row: Row | None = None
    applied: int | None = None


@dataclass(slots=True)
class Findings:
    """Counts of faults, the first few of them in words, and events that are merely not projected yet."""

    events: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    phantom: int = 0
    mismatched_rows: int = 0
    unprojected: int = 0
    offenders: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many in all."""
        return self.lost + self.duplicated + self.reordered + self.phantom + self.mismatched_rows

    def note(self, text: str) -> None:
        """Keep the line if there are not yet enough."""
        if len(self.offenders) < SHOWN:
            self.offenders.append(text)


class NotFoldable(ValueError):
    """Events that are no history of a todo."""


def fold(events: Sequence[Event]) -> Row | None:
    """The row that the events make, None without events. Raises NotFoldable."""
    row: Row | None = None
    for event in events:
        row = _step(row, event)
    return row


def _step(row: Row | None, event: Event) -> Row:
    at = event.recorded_at
    if row is None:
        if event.type != "TodoCreated":
            raise NotFoldable(f"{event.type} where nothing was created")
        return Row(_text(event), at, at, event.version, False)
    if row.deleted:
        raise NotFoldable(f"{event.type} after the deletion")
    if event.type == "TodoUpdated":
        return Row(_text(event), row.created_at, at, event.version, False)
    if event.type == "TodoDeleted":
        return Row(row.text, row.created_at, at, event.version, True)
    raise NotFoldable(f"unexpected {event.type}")


def _text(event: Event) -> str:
    text = event.data.get("text") if isinstance(event.data, dict) else None
    if not isinstance(text, str):
        raise NotFoldable(f"{event.type} without text")
    return text


def judge(stream: Stream, findings: Findings, *, complete: bool, cursor: int = 0) -> None:
    """Add the stream's faults to the findings.

    `complete` claims that everything is projected; without it, events after the checkpoint are only unprojected.
    `cursor` is the position that a reader of the global order has passed: what it left out is lost.
    """
    findings.events += len(stream.events)
    _judge_head(stream, findings)
    covered, doubled = _judge_batches(stream, findings)
    _judge_coverage(stream, covered, findings, complete=complete, cursor=cursor)
    _judge_row(stream, findings, complete=complete)
    _judge_applied(stream, covered, doubled, findings, complete=complete)


def _judge_head(stream: Stream, findings: Findings) -> None:
    versions = [event.version for event in stream.events]
    last = versions[-1] if versions else 0
    missing = last - len(versions)
    if missing:
        findings.lost += missing
        findings.note(f"lost: {missing} of the versions 1 to {last} of {stream.name} are not in the store")
    version = stream.head.version if stream.head else 0
    if version != last:
        findings.mismatched_rows += 1
        findings.note(f"mismatched: the head of {stream.name} is at version {version}, its events end at {last}")


def _judge_batches(stream: Stream, findings: Findings) -> tuple[set[int], int]:
    """Walk the audit in the order of time; returns the versions that took effect, and how often one did so again."""
    before = findings.duplicated
    known = {event.version for event in stream.events}
    last = max(known, default=0)
    covered: set[int] = set()
    highest = 0
    for batch in stream.batches:
        beyond = max(0, batch.last - max(batch.first - 1, last))
        for version in range(batch.first, batch.last - beyond + 1):
            if version not in known:
                beyond += 1
            elif version in covered:
                findings.duplicated += 1
                findings.note(f"duplicated: version {version} of {stream.name} took effect again")
            else:
                covered.add(version)
                if version < highest:
                    findings.reordered += 1
                    findings.note(f"reordered: version {version} of {stream.name} took effect after {highest}")
        highest = max(highest, batch.last)
        if beyond:
            findings.phantom += beyond
            findings.note(f"phantom: {beyond} of versions {batch.first}-{batch.last} of {stream.name} do not exist")
    return covered, findings.duplicated - before


def _judge_coverage(stream: Stream, covered: set[int], findings: Findings, *, complete: bool, cursor: int) -> None:
    checkpoint = stream.head.projected if stream.head else 0
    for event in stream.events:
        if event.version in covered:
            continue
        if complete or event.version <= checkpoint or event.position <= cursor:
            findings.lost += 1
            findings.note(
                f"lost: version {event.version} of {stream.name} ({event.type}, position {event.position}) "
                f"never took effect"
            )
        else:
            findings.unprojected += 1


def _judge_row(stream: Stream, findings: Findings, *, complete: bool) -> None:
    if not stream.events:
        if stream.row is not None:
            findings.phantom += 1
            findings.note(f"phantom: todo {stream.name} has no events")
        return
    upto = _upto(stream, complete=complete)
    try:
        expected = fold([event for event in stream.events if event.version <= upto])
    except NotFoldable as error:
        findings.mismatched_rows += 1
        findings.note(f"mismatched: the events of {stream.name} are no history of a todo: {error}")
        return
    if stream.row != expected:
        findings.mismatched_rows += 1
        findings.note(f"mismatched: todo {stream.name} {_difference(expected, stream.row)}")


def _upto(stream: Stream, *, complete: bool) -> int:
    """The version up to which the projection has to be: the last event's, or the checkpoint."""
    return stream.events[-1].version if complete or stream.head is None else stream.head.projected


def _judge_applied(stream: Stream, covered: set[int], doubled: int, findings: Findings, *, complete: bool) -> None:
    """Hold the row's own count of effects against its version; what the audit tells, too, counts once."""
    if stream.row is None or stream.applied is None or not stream.events:
        return
    version, applied = stream.row.version, stream.applied
    told = f"{applied} events took effect in todo {stream.name}, which is at version {version}"
    more = applied - max(version, _upto(stream, complete=complete), len(covered))
    if more > doubled:
        findings.duplicated += more - doubled
        findings.note(f"duplicated: {told}")
    unaudited = version - sum(known <= version for known in covered)
    if version - applied > unaudited:
        findings.lost += version - applied - unaudited
        findings.note(f"lost: {told}")


def _difference(expected: Row | None, actual: Row | None) -> str:
    if expected is None:
        return "exists before its first event took effect"
    if actual is None:
        return f"is missing; its events make it version {expected.version}"
    for name in Row.__slots__:
        wanted, found = getattr(expected, name), getattr(actual, name)
        if wanted != found:
            return f"has {name} {found!r}, its events make it {wanted!r}"
    return "is as it should be"
