"""Exact confidence interval by sign flips: all locations that the sign-flip test of the mean does not refuse.

Such an interval ends at means of subsets of the values (J. A. Hartigan, Using subsample values as typical values,
Journal of the American Statistical Association 64, 1969): its coverage is a count, and no shape of noise is assumed
but that a difference of two alike trials is as likely up as down, which the drawn order of a pair makes true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

MISSES: Final = 0.05
"""How often an interval may miss, where the number of pairs allows as few."""

ALL_UP_TO: Final = 14
"""Values whose subsets are all looked at, 16,383 of them; of more, DRAWN subsets."""

DRAWN: Final = 9_999


@dataclass(frozen=True)
class Interval:
    """`covered`: the chance that it holds the true value."""

    low: float
    high: float
    covered: float


def interval(values: Sequence[float], seed: str) -> Interval | None:
    """The interval that misses at most in one of twenty; with fewer than six values from the least to the largest.

    That one covers 1 - 2/2^n: 93.75 % with five. None with one value, which bounds nothing. `seed` draws the subsets
    where there are too many.
    """
    if len(values) < 2:
        return None
    means = sorted(_all(values) if len(values) <= ALL_UP_TO else _drawn(values, Random(seed)))
    outcomes = len(means) + 1
    tail = max(1, math.floor(outcomes * MISSES / 2))
    return Interval(means[tail - 1], means[-tail], 1 - 2 * tail / outcomes)


def _all(values: Sequence[float]) -> list[float]:
    """The mean of every subset but the empty one."""
    sums = [(0.0, 0)]
    for value in values:
        sums += [(total + value, count + 1) for total, count in sums]
    return [total / count for total, count in sums if count]


def _drawn(values: Sequence[float], random: Random) -> list[float]:
    means: list[float] = []
    while len(means) < DRAWN:
        if chosen := [value for value in values if random.getrandbits(1)]:
            means.append(math.fsum(chosen) / len(chosen))
    return means
