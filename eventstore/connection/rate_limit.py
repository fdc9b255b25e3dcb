"""Rate limit with bursts (token bucket, kept as GCRA's one time stamp): at once when quiet, spaced when busy."""

from __future__ import annotations

from typing import Final

BURST: Final = 4
"""As many as random arrivals at a rate well below the gap's hardly ever want."""


class RateLimit:
    """At most one piece of work (batch, notification) each `gap` seconds in the long run, and `burst` at once.

    One for each single event would cost the writers their processor. After a quiet time `burst` pieces may follow each
    other at once. Times are in seconds of one clock.
    """

    def __init__(self, gap: float, burst: int = BURST) -> None:
        self._gap: Final = gap
        self._ahead: Final = (burst - 1) * gap
        self._paid_until = 0.0

    def began(self, now: float) -> None:
        """A piece has begun."""
        self._paid_until = max(self._paid_until, now) + self._gap

    def wait(self, now: float) -> float:
        """How long the next piece has to wait; 0.0 if it may begin."""
        return max(0.0, self._paid_until - self._ahead - now)
