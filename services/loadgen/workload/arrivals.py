"""Open-loop arrival times: when requests are due, whatever the server does."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from random import Random
from typing import Final

SLICE: Final = 1000
"""The most requests that are drawn at once."""


def due_times(rate: float, random: Random) -> Iterator[float]:
    """Seconds from the start at which requests are due, ascending, without end.

    Within each second (at a high rate, within each part of it that has `SLICE` of them) the moments are uniformly
    random and their number is the rate to within one: bursts as in real traffic, and yet a short run has exactly the
    rate that it was asked for.
    """
    parts = ceil(rate / SLICE)
    part, owed = 0, 0.0
    while True:
        owed += rate / parts
        count = int(owed)
        owed -= count
        yield from sorted((part + random.random()) / parts for _ in range(count))
        part += 1
