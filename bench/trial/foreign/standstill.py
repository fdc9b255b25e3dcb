"""How long the log and the projection stood still, from the counts of `/stats` alone.

Counts never go back, so two looks at the same count have nothing between them, also where the API was silent meanwhile.
Known to the interval between two looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bench.trial.fault import Stats

LASTS_S: Final = 1.0
"""From here on it is told as one: a calm moment of the load is none."""


class Standstill:
    """The longest time without a new event (`log_s`), and with a backlog and nothing projected (`projection_s`)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock: Final = clock
        self._log: tuple[int, float] | None = None
        self._projection: tuple[int, float] | None = None
        self.log_s = 0.0
        self.projection_s = 0.0

    def note(self, stats: Stats | None) -> None:
        """Take in what is seen now; a silent API says nothing."""
        if stats is None:
            return
        now = self._clock()
        self._log = _since(self._log, stats["eventCount"], now)
        self.log_s = max(self.log_s, now - self._log[1])
        if stats["backlog"] == 0:
            self._projection = None
            return
        self._projection = _since(self._projection, stats["totalEventsProjected"], now)
        self.projection_s = max(self.projection_s, now - self._projection[1])

    @property
    def projection(self) -> str:
        """In words."""
        return f"the projection stood for {self.projection_s:.1f} s at most"


def _since(seen: tuple[int, float] | None, count: int, now: float) -> tuple[int, float]:
    """The count, and when it was seen first."""
    return seen if seen is not None and seen[0] == count else (count, now)
