"""The oracle's fold of read model `activity`: todos created, updated and deleted by UTC minute, counted anew. Pure.

It shares no code with the projection on purpose, so that one mistake can not hide in both. Every event up to the
stream's checkpoint counts in the minute in which it was recorded; a minute that says anything else is a mismatched row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bench.oracle.columns import moment
from bench.oracle.refold import Findings, Stream

MINUTE_US: Final = 60_000_000
KINDS: Final = {"TodoCreated": "created", "TodoUpdated": "updated", "TodoDeleted": "deleted"}


@dataclass
class Activity:
    """Counts by minute, as the events that were added make them."""

    minutes: dict[datetime, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(KINDS.values(), 0))
    )
    _plain: dict[str, Counter[int]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS.values()})

    def add(self, stream: Stream, *, complete: bool) -> None:
        """Count the events of one stream; unless the run is `complete`, those after its checkpoint are left out."""
        upto = stream.head.projected if stream.head and not complete else None
        for event in stream.events:
            kind = KINDS.get(event.type)
            if kind is not None and (upto is None or event.version <= upto):
                minute = event.recorded_at.astimezone(UTC).replace(second=0, microsecond=0)
                self.minutes[minute][kind] += 1

    def add_plain(self, recorded: Sequence[int], *, deleted: bool) -> None:
        """Count a todo's whole life: its creation, its updates, and its deletion at the end."""
        first, *others = (at // MINUTE_US for at in recorded)
        self._plain["created"][first] += 1
        if deleted:
            self._plain["deleted"][others.pop()] += 1
        self._plain["updated"].update(others)

    def judge(self, found: Mapping[datetime, Mapping[str, int]], findings: Findings) -> None:
        """Hold what the read model says by minute against them."""
        for kind, counts in self._plain.items():
            for number, count in counts.items():
                self.minutes[moment(number * MINUTE_US)][kind] += count
            counts.clear()
        nothing = dict.fromkeys(KINDS.values(), 0)
        for minute in sorted({*self.minutes, *found}):
            wanted, told = self.minutes.get(minute, nothing), found.get(minute, nothing)
            if wanted != told:
                findings.mismatched_rows += 1
                findings.note(f"mismatched: activity of {minute} says {told}, its events make it {wanted}")
