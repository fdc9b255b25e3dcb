"""How often a test looks whether what it waits for is there: soon at first, and seldom once it takes its time.

What it waits for has the same two cores: a look each 10 ms at a store's statistics took a third of one from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

FIRST_S: Final = 0.005
LONGEST_S: Final = 0.05
GROWTH: Final = 1.3


def between_looks(longest_s: float = LONGEST_S) -> Iterator[float]:
    """Seconds to sleep before each further look, without end."""
    pause = min(FIRST_S, longest_s)
    while True:
        yield pause
        pause = min(pause * GROWTH, longest_s)
