"""Trend of a series: Theil-Sen's slope, and the Mann-Kendall test, over the last half of a soak.

The first half is for what fills up once. The rest is put into blocks of equal length, each told by its median: so a
spike counts for little, and neighbours that are alike by chance do not pass for a trend. The slope is the median of the
slopes of all pairs of blocks (Theil 1950, Sen 1968); the test asks whether later blocks are larger more often than
chance has it, ties left out (Mann 1945, Kendall 1975). The interval of the slope is what that test does not rule out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import NormalDist, median
from typing import Final

from metrics.records.answers.soak import Verdict

Point = tuple[float, float]
"""Seconds, and a value."""

BLOCKS: Final = 24
FEWEST: Final = 8
"""Blocks without which nothing is said."""

SURE: Final = 0.01
"""A trend that chance makes as often as this, or more rarely, is one."""

GOES_ON: Final = 0.5
"""A trend goes on when its second half is at least so steep, of the whole: a step, or what flattens, has ended.

And that half's level must be higher by this share of what is allowed: the teeth of a saw, each steep, are not.
"""


@dataclass(frozen=True)
class Bound:
    """What a series may grow by over the judged half: a `share` of its level, and at `least` so much, in its unit.

    `falls`: it is the worse the smaller it is.
    """

    share: float
    least: float
    falls: bool = False

    def allowed(self, level: float) -> float:
        """What that is at a level."""
        return max(self.share * abs(level), self.least)


@dataclass(frozen=True)
class Judged:
    """What the judged half says; None where nothing is said. `growth` is in the series' unit, over that half.

    From `low` to `high` is its interval: 1 - 2 × `SURE`, so that a trend by the test has all of it on one side of zero.
    """

    verdict: Verdict
    level: float | None = None
    growth: float | None = None
    low: float | None = None
    high: float | None = None
    per_hour: float | None = None
    chance: float | None = None


def judge(points: Sequence[Point], bound: Bound) -> Judged:
    """`compounds` where it gets worse by more than its bound, surely, and goes on doing so; else `settles`. Pure."""
    blocks = _blocks(_last_half(points))
    if len(blocks) < FEWEST:
        return Judged("too short")
    sign = -1.0 if bound.falls else 1.0
    slope = theil_sen(blocks)
    first, last = blocks[: len(blocks) // 2], blocks[len(blocks) // 2 :]
    chance = mann_kendall([sign * value for _, value in blocks])
    level = median(value for _, value in blocks)
    length = blocks[-1][0] - blocks[0][0]
    growth, (low, high) = slope * length, (length * end for end in interval(blocks))
    allowed = bound.allowed(level)
    goes_on = sign * theil_sen(last) >= GOES_ON * sign * slope and sign * _higher(first, last) > GOES_ON * allowed
    compounds = sign * growth > allowed and chance <= SURE and goes_on
    return Judged("compounds" if compounds else "settles", level, growth, low, high, slope * 3600, chance)


def theil_sen(points: Sequence[Point]) -> float:
    """The median slope of all pairs, by second."""
    slopes = _slopes(points)
    return median(slopes) if slopes else 0.0


def interval(points: Sequence[Point]) -> tuple[float, float]:
    """Least and greatest slope that a test at `SURE` to each side does not rule out (Sen 1968), by second."""
    slopes = sorted(_slopes(points))
    within = NormalDist().inv_cdf(1 - SURE) * math.sqrt(_spread([value for _, value in points]) / 18)
    below = max(0, math.floor((len(slopes) - within) / 2))
    return (slopes[below], slopes[-1 - below]) if slopes else (0.0, 0.0)


def mann_kendall(values: Sequence[float]) -> float:
    """The chance that values in no order rise as much as these, by the normal approximation."""
    rises = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    if (spread := _spread(values)) <= 0:
        return 1.0
    z = (rises - math.copysign(1, rises)) / math.sqrt(spread / 18) if rises else 0.0
    return 0.5 * math.erfc(z / math.sqrt(2))


def _slopes(points: Sequence[Point]) -> list[float]:
    return [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 > x1]


def _spread(values: Sequence[float]) -> int:
    """18 times the variance of Kendall's sum where there is no trend."""
    count, ties = len(values), [values.count(value) for value in set(values)]
    return count * (count - 1) * (2 * count + 5) - sum(tie * (tie - 1) * (2 * tie + 5) for tie in ties)


def _higher(first: Sequence[Point], last: Sequence[Point]) -> float:
    return median(value for _, value in last) - median(value for _, value in first)


def _last_half(points: Sequence[Point]) -> Sequence[Point]:
    if not points:
        return []
    middle = (points[0][0] + points[-1][0]) / 2
    return [point for point in points if point[0] >= middle]


def _blocks(points: Sequence[Point]) -> list[Point]:
    """Medians of time and value of consecutive blocks, as equal in length as can be."""
    count = min(BLOCKS, len(points))
    ends = [round(number * len(points) / count) for number in range(count + 1)] if count else []
    parts = [points[start:end] for start, end in pairwise(ends)]
    return [(median(x for x, _ in part), median(y for _, y in part)) for part in parts]
