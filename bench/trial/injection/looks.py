"""What looks at `/stats`, one every 0.2 s, show of a fault's price: stall, silence and the way back, by one clock.

All moments are of this machine's clock, and known to the time between two looks. A standstill is what two looks prove,
so it is rather too short; a silence lasts from the last answer before it to the first one after it, so it is rather too
long.
"""

from __future__ import annotations

from typing import Final

from bench.trial.fault import Stats

LATE_S: Final = 1.0
"""An answer that takes longer is silence, too."""


class Recovery:
    """How long it takes until the projection is right again: as far as there were events at the first look."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._wanted: int | None = None
        self.took_s: float | None = None

    def begin(self, at: float) -> None:
        """The fault is about to be healed."""
        self._since = at

    def note(self, at: float, stats: Stats) -> None:
        """Take in what was seen then."""
        if self._since is None or self.took_s is not None:
            return
        if self._wanted is None:
            self._wanted = stats["eventCount"]
        if stats["totalEventsProjected"] >= self._wanted:
            self.took_s = at - self._since


class Stall:
    """How long the projection stood still with work left: from the first to the last of looks that saw one count."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._projected = -1
        self.longest_s = 0.0

    def note(self, at: float, stats: Stats) -> None:
        """Take in what was seen then."""
        projected = stats["totalEventsProjected"]
        if stats["backlog"] <= 0:
            self._since = None
        elif self._since is None or projected != self._projected:
            self._since = at
        else:
            self.longest_s = max(self.longest_s, at - self._since)
        self._projected = projected


class Silence:
    """How long the API gave no answer: from the last one on, where a look came back without one; or one late answer."""

    def __init__(self) -> None:
        self._answered_at: float | None = None
        self._lacking = False
        self.longest_s = 0.0

    def note(self, asked_at: float, at: float, stats: Stats | None) -> None:
        """Take in what came of a look, None where it had no answer."""
        self._lacking |= stats is None
        if self._lacking and self._answered_at is not None:
            self._keep(at - self._answered_at)
        elif at - asked_at > LATE_S:
            self._keep(at - asked_at)
        if stats is not None:
            self._answered_at, self._lacking = at, False

    def _keep(self, span_s: float) -> None:
        self.longest_s = max(self.longest_s, span_s)


class Looks:
    """All looks from a strike on."""

    def __init__(self) -> None:
        self.recovery = Recovery()
        self.stall = Stall()
        self.silence = Silence()

    def note(self, asked_at: float, at: float, stats: Stats | None) -> None:
        """Take in one look, asked and answered then; None where it had no answer."""
        self.silence.note(asked_at, at, stats)
        if stats is not None:
            self.recovery.note(at, stats)
            self.stall.note(at, stats)
