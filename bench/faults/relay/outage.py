"""How long the API gave no statistics and the projection stood still, by looks at `/stats`.

Each is known to the time between two looks, and no shorter than it was: what is not seen to go on counts as standing,
and a late answer as none until it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Outage:
    """Times are of one steady clock, in seconds. `api_s` and `projection_s` are the longest at a stretch."""

    def __init__(self) -> None:
        self.api_s = 0.0
        self.projection_s = 0.0
        self.answered_s: float | None = None
        """From when all passes again until the first answer; the longest of all strikes."""
        self.deaf = 0
        """Projectors that said that they hear no notifications: the most at one look."""
        self._answered_at: float | None = None
        self._moved_at: float | None = None
        self._projected = -1
        self._well_at: float | None = None

    def lasts_until(self, at: float) -> None:
        """A strike has begun, and all passes again from that moment on."""
        self._well_at = at

    def note(self, stats: Mapping[str, Any] | None, at: float) -> None:
        """Take in a look that ended at this moment; None where there was no answer."""
        if stats is None:
            return
        if self._answered_at is not None:
            self.api_s = max(self.api_s, at - self._answered_at)
        self._answered_at = at
        if self._well_at is not None and at >= self._well_at:
            self.answered_s = max(self.answered_s or 0.0, at - self._well_at)
            self._well_at = None
        self._note_projection(stats, at)
        self.deaf = max(self.deaf, sum(one.get("listening") is False for one in stats.get("projectors") or ()))

    def _note_projection(self, stats: Mapping[str, Any], at: float) -> None:
        if self._moved_at is None or stats["totalEventsProjected"] > self._projected or stats["backlog"] == 0:
            self.projection_s = max(self.projection_s, at - (at if self._moved_at is None else self._moved_at))
            self._moved_at, self._projected = at, stats["totalEventsProjected"]
