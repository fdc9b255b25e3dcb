"""Polling intervals: how long to wait before looking again, where nobody calls."""

from __future__ import annotations

from typing import Final

BUSY_S: Final = 0.005
"""When to look again at a stream that somebody else had locked."""

SOON_S: Final = 0.25
"""When to look again, uncalled, where something was done or tried, or is in somebody's hands."""

LONGEST_PAUSE_S: Final = 1.0


def pause_s(refused: int) -> float:
    """Exponential back-off: seconds before the next attempt at what a lock or a limit has refused so often in a row."""
    return float(min(LONGEST_PAUSE_S, 0.05 * 2 ** min(refused, 10)))
