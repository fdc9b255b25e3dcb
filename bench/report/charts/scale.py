"""Axes of a chart: a linear or logarithmic scale, and ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ROUND: Final = (1, 2, 5, 10)
MOST: Final = 6
FEW_POWERS: Final = 4
LARGEST: Final = 1e300
"""Beyond it no tick can be reckoned."""


@dataclass(frozen=True)
class Axis:
    """A scale with its ticks, which are values and what is written at them."""

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Share of the axis: 0 at its low end, 1 at its high end; beyond them its end."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, low))
        return min(max((at - low) / (high - low), 0.0), 1.0)


def linear(low: float, high: float, *, zero: bool = False, within: bool = False) -> Axis:
    """From `low` to `high`, or from 0, widened to round numbers; `within` keeps the ends as they are."""
    low, high = (min(max(end, -LARGEST), LARGEST) for end in (min(low, 0.0) if zero else low, high))
    high = high if high - low > max(abs(low), 1 / LARGEST) * 1e-12 else low + max(abs(low), 1.0)
    step = _step((high - low) / MOST)
    if not within:
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [_clean(number * step) for number in range(first, last + 1)]
    return Axis(low, high, False, tuple((value, short(value)) for value in values))


def logarithmic(values: Sequence[float]) -> Axis:
    """Around the values above 0: ticks at 1, 2 and 5 of each power of ten, at whole powers where there are many."""
    above = [min(max(value, 1 / LARGEST), LARGEST) for value in values if value > 0] or [1.0]
    first, last = math.floor(math.log10(min(above))), math.ceil(math.log10(max(above)))
    steps = ROUND[:-1] if last - first < FEW_POWERS else (1,)
    ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    low = max((tick for tick in ticks if tick <= min(above)), default=ticks[0])
    high = min((tick for tick in ticks if tick >= max(above) and tick > low), default=low * 10)
    return Axis(low, high, True, tuple((tick, short(tick)) for tick in ticks if low <= tick <= high))


def labelled(low: float, high: float, ticks: Sequence[tuple[float, str]], *, log: bool = False) -> Axis:
    """From `low` to `high` with ticks that are given."""
    return Axis(low, high if high > low else low + (abs(low) or 1.0), log, tuple(ticks))


def short(value: float) -> str:
    """A number for a tick: 1.2M, 12k, 1,500, 0.5."""
    for least, by, sign in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / by:.3g}{sign}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(each * power for each in ROUND if each * power >= rough * 0.999)


def _clean(value: float) -> float:
    return float(f"{value:.10g}")
