"""Pairs of measured values: the ratio of each, their median, and how far two trials of one arm are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median as middle
from typing import Final, Literal

from metrics.records.record import Record

Bound = Literal["exact", "at_least", "at_most"]
WITHIN: Final = 2.0
"""Times their size within which 19 of 20 steps are."""

DIGITS: Final = 0.001
"""Share of a value that no figure is known better than: histograms keep three digits."""

OPPOSITE: Final[dict[Bound, Bound]] = {"exact": "exact", "at_least": "at_most", "at_most": "at_least"}


@dataclass(frozen=True)
class Value(Record):
    """A measured value; `at_least` when the measurement was cut off there (a run that timed out).

    It may be off by `resolution`, in its own unit, where that is more than DIGITS.
    """

    value: float
    bound: Bound = "exact"
    resolution: float = 0.0


@dataclass(frozen=True)
class Pair:
    """Two trials, one of each arm, that ran one after the other; None where a trial has no such value."""

    base: Value | None
    arm: Value | None

    @property
    def ratio(self) -> Value | None:
        """Arm / base. None where a value is missing, or where both were cut off, so that nothing bounds the ratio."""
        if self.base is None or self.arm is None or "exact" not in (self.base.bound, self.arm.bound):
            return None
        bound = self.arm.bound if self.arm.bound != "exact" else OPPOSITE[self.base.bound]
        return Value(self.arm.value / self.base.value, bound)

    @property
    def zero(self) -> bool:
        """Whether there is no ratio because a value is zero."""
        return any(value is not None and value.value <= 0 for value in (self.base, self.arm))

    @property
    def swapped(self) -> Pair:
        """The pair as it would be if each trial had been the other arm's."""
        return Pair(self.arm, self.base)


def median(values: Sequence[Value]) -> Value:
    """The median. A bound where a value that was cut off could move it."""
    found = middle(value.value for value in values)
    ordered = sorted(value.value for value in values)
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    if any(value.bound == "at_least" and value.value <= upper for value in values):
        return Value(found, "at_least")
    if any(value.bound == "at_most" and value.value >= lower for value in values):
        return Value(found, "at_most")
    return Value(found)


def noise_floor(pairs: Sequence[Pair]) -> float | None:
    """A against A: the ratio (1 or more) within which a trial and the next one of the same arm stay in 19 of 20 cases.

    Twice the root mean square of the log ratios of such neighbours, over both arms. Neighbours in time, so that what
    drifts over a sitting, and falls out of the ratio of a pair, is left out here as well. Never less than `resolved`:
    figures that repeat are no proof that nothing moves. None without two that have exact values.
    """
    arms = ([pair.base for pair in pairs], [pair.arm for pair in pairs])
    known = [[math.log(v.value) if v is not None and v.bound == "exact" else None for v in values] for values in arms]
    size = step_size(*known)
    return None if size is None else max(math.exp(WITHIN * size), resolved(pairs))


def resolved(pairs: Sequence[Pair]) -> float:
    """The largest ratio (above 1) that two exact values of the same size may have, each off by its resolution."""
    values = [value for pair in pairs for value in (pair.base, pair.arm) if value is not None]
    shares = [value.resolution / value.value for value in values if value.bound == "exact" and value.value > 0]
    return 1 + 2 * max([DIGITS, *shares])


def step_size(*arms: Sequence[float | None]) -> float | None:
    """The root mean square of the steps from each value to the next one of its arm. None without any."""
    steps = [
        later - sooner
        for values in arms
        for sooner, later in pairwise(values)
        if sooner is not None and later is not None
    ]
    return math.sqrt(math.fsum(step * step for step in steps) / len(steps)) if steps else None


def percent(ratio: float) -> str:
    """By how much a ratio differs from one, for a reader: `4 %`, or `2.5 times` from two on."""
    size = max(ratio, 1 / ratio)
    if size >= 2:
        return f"{size:,.0f} times" if size >= 10 else f"{size:.1f} times"
    return f"{(size - 1) * 100:.0f} %" if size >= 1.1 else f"{(size - 1) * 100:.1f} %"
