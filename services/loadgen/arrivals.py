"""The open loop's clock: when requests are due, whatever the server does."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def due_times(rate: float, random: Random) -> Iterator[float]:
    """Seconds from the start at which requests are due, ascending, without end.

    Within each second the moments are uniformly random and their number is the rate to within one: bursts as in real
    traffic, and yet a short run has exactly the rate that it was asked for.
    """
    second, owed = 0, 0.0
    while True:
        owed += rate
        count = int(owed)
        owed -= count
        yield from sorted(second + random.random() for _ in range(count))
        second += 1
