"""Fold of a log, event by event in its own order: each stream's last state, and what is wrong with the log. Pure.

* **reordered**: a position that is not above the one before it, or a version that comes after a higher one.
* **duplicated**: a version that stands in the log twice.
* **lost**: a version that is missing when all is read.
* **mismatched**: events that are no history of a todo, once a stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.oracle.log.contract import Event
from bench.oracle.log.streams import State, Streams, digest
from bench.oracle.refold import Findings


@dataclass(slots=True)
class Fold:
    """All that was read of a log. `gaps` are the versions that streams lack so far, `broken` who has no history."""

    streams: Streams = field(default_factory=Streams)
    findings: Findings = field(default_factory=Findings)
    position: int = 0
    gaps: dict[str, list[range]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self.findings.events += 1
        if event.position <= self.position:
            self.findings.reordered += 1
            self.findings.note(f"reordered: position {event.position} stands after {self.position} in the log")
        self.position = max(self.position, event.position)
        before = self.streams[event.stream] or State()
        if event.version <= before.version:
            self._late(event, before)
            return
        if event.version > before.version + 1:
            self.gaps.setdefault(event.stream, []).append(range(before.version + 1, event.version))
        self._step(event, before)

    def untold(self, counted: int) -> int:
        """How many of so many committed events the log does not tell, without those that are known to be lost.

        A version is known to be lost where a later one of its stream is there: whatever holds a log back holds back
        its end, so what is missing before something that is there comes no more.
        """
        told = self.findings.events - self.findings.duplicated
        return max(counted - told - sum(len(gap) for gaps in self.gaps.values() for gap in gaps), 0)

    def end(self) -> None:
        """Nothing more is to come: what is missing is lost."""
        for stream, gaps in self.gaps.items():
            missing = sum(map(len, gaps))
            self.findings.lost += missing
            self.findings.note(
                f"lost: {missing} versions of {stream} are not in the log, {gaps[0][0]} the first of them"
            )
        self.gaps.clear()

    def _late(self, event: Event, before: State) -> None:
        """One that comes after a higher version: it fills a gap, or stands there again."""
        gaps = self.gaps.get(event.stream, [])
        for place, gap in enumerate(gaps):
            if event.version in gap:
                halves = range(gap.start, event.version), range(event.version + 1, gap.stop)
                gaps[place : place + 1] = [half for half in halves if half]
                if not gaps:
                    del self.gaps[event.stream]
                self.findings.reordered += 1
                self.findings.note(
                    f"reordered: version {event.version} of {event.stream} stands after {before.version} in the log"
                )
                return
        self.findings.duplicated += 1
        self.findings.note(f"duplicated: version {event.version} of {event.stream} stands in the log again")

    def _step(self, event: Event, before: State) -> None:
        text = text_of(event.data)
        if (why := _not_foldable(event, text, before)) and event.stream not in self.broken:
            self.broken.add(event.stream)
            self.findings.mismatched_rows += 1
            self.findings.note(f"mismatched: the events of {event.stream} are no history of a todo: {why}")
        self.streams[event.stream] = State(
            version=event.version,
            position=event.position,
            deleted=before.deleted or event.type == "TodoDeleted",
            digest=before.digest if text is None else digest(text),
        )


def text_of(data: Any) -> str | None:
    """The text that an event sets, None where it sets none."""
    text = data.get("text") if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


def _not_foldable(event: Event, text: str | None, before: State) -> str:
    """Why the event can not follow that state; empty where it can."""
    if event.type not in ("TodoCreated", "TodoUpdated", "TodoDeleted"):
        return f"unknown type {event.type!r}"
    if (event.type == "TodoCreated") != (event.version == 1):
        return f"{event.type} at version {event.version}"
    if before.deleted:
        return f"{event.type} after the deletion"
    return f"{event.type} without text" if text is None and event.type != "TodoDeleted" else ""
