"""Slope of a sampled series, with an interval that the series' autocorrelation does not narrow: t-test over blocks.

A backlog remembers itself: its samples are no independent draws, and the interval of a least-squares line through all
of them is too narrow. So the series is cut into four blocks, each gets a least-squares slope of its own, and the
interval is that of Student's t over the four. This is valid for short-range dependence of whatever form, at the usual
levels: R. Ibragimov and U. K. Müller, t-Statistic Based Correlation and Heterogeneity Robust Inference, Journal of
Business & Economic Statistics 28 (2010), 453-468.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, stdev
from typing import Final

BLOCKS: Final = 4
T_95: Final = {1: 12.706, 2: 4.303, 3: 3.182}
"""Quantiles of Student's t for a two-sided interval of 95 %, by degrees of freedom."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Slope:
    """Units a second, and the 95 % interval."""

    value: float
    low: float
    high: float


def slope(points: Sequence[Point]) -> Slope | None:
    """The slope of (seconds, value) pairs in their order; None with fewer than four points.

    With fewer than eight there are fewer blocks, and the interval is as wide as that costs.
    """
    count = min(BLOCKS, len(points) // 2)
    if count < 2:
        return None
    found = [_least_squares(block) for block in _blocks(points, count)]
    middle = mean(found)
    half = T_95[count - 1] * stdev(found) / math.sqrt(count)
    return Slope(middle, middle - half, middle + half)


def _blocks(points: Sequence[Point], count: int) -> list[Sequence[Point]]:
    """Consecutive blocks of about one length. Neighbours share the point between them: no step falls into a gap."""
    ends = [round(number * (len(points) - 1) / count) for number in range(count + 1)]
    return [points[start : end + 1] for start, end in pairwise(ends)]


def _least_squares(points: Sequence[Point]) -> float:
    middle_x, middle_y = mean(x for x, _ in points), mean(y for _, y in points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread > 0 else 0.0
