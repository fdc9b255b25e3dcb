"""Medians, ratios and their noise. Pure, and seeded where chance is used."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from statistics import median as middle
from typing import Final, Literal

from metrics.records.record import Record

Bound = Literal["exact", "at_least", "at_most"]
Answer = Literal["higher", "lower", "no verdict"]

# Two trials of each would call one difference in five real where there is none; three, one in twenty-five.
FEWEST: Final = 3
RESAMPLES: Final = 4000
COVERED: Final = 0.95
SPLITS: Final = 1000
OPPOSITE: Final[dict[Bound, Bound]] = {"exact": "exact", "at_least": "at_most", "at_most": "at_least"}


@dataclass(frozen=True)
class Value(Record):
    """A measured value; `at_least` when the measurement was cut off there (a run that timed out)."""

    value: float
    bound: Bound = "exact"


@dataclass(frozen=True)
class Contrast(Record):
    """One arm against the base. `ratio` is arm / base, both medians; `low` and `high` its 95 % bootstrap interval.

    `noise_floor` is the largest ratio (1 or more) between two halves of one arm's own trials, which nothing but chance
    made. `answer` says how the arm differs from the base; `because` says why there is no verdict. None: not known.
    """

    ratio: float | None
    bound: Bound
    low: float | None
    high: float | None
    noise_floor: float | None
    answer: Answer
    because: str


def median(values: Sequence[Value]) -> Value:
    """The median. A lower bound where a value that was cut off could move it."""
    found = middle(value.value for value in values)
    ordered = sorted(value.value for value in values)
    upper = ordered[len(ordered) // 2]
    cut = any(value.bound != "exact" and value.value <= upper for value in values)
    return Value(found, "at_least" if cut else "exact")


def contrast(base: Sequence[Value], arm: Sequence[Value], seed: str) -> Contrast:
    """Set the values of an arm against those of the base."""
    if not base or not arm:
        return _unknown("there is no sound trial to take it from")
    if any(value.value <= 0 for value in (*base, *arm)):
        return _unknown("in a trial it was zero")
    below, above = median(base), median(arm)
    if below.bound != "exact" and above.bound != "exact":
        return _unknown("both were cut off")
    bound = above.bound if above.bound != "exact" else OPPOSITE[below.bound]
    low, high = _interval([v.value for v in base], [v.value for v in arm], Random(seed))
    exact = [[v.value for v in values if v.bound == "exact"] for values in (base, arm)]
    floor = noise_floor(*exact) if min(len(base), len(arm)) >= FEWEST else None
    ratio = above.value / below.value
    known = (None if bound == "at_most" else low, None if bound == "at_least" else high)
    answer, because = _answer(ratio, bound, known, floor)
    return Contrast(ratio, bound, *known, floor, answer, because)


def _unknown(because: str) -> Contrast:
    return Contrast(None, "exact", None, None, None, "no verdict", because)


def _answer(
    ratio: float, bound: Bound, interval: tuple[float | None, float | None], floor: float | None
) -> tuple[Answer, str]:
    low, high = interval
    if floor is None:
        return "no verdict", f"with fewer than {FEWEST} trials of each, the noise is not known"
    if max(ratio, 1 / ratio) <= floor:
        return "no verdict", f"trials of the same arm differ by up to {percent(floor)}"
    if bound != "at_most" and low is not None and ratio > 1 and low > 1:
        return "higher", ""
    if bound != "at_least" and high is not None and ratio < 1 and high < 1:
        return "lower", ""
    return "no verdict", "the trials contradict each other"


def _interval(base: Sequence[float], arm: Sequence[float], random: Random) -> tuple[float, float]:
    ratios = sorted(
        middle(random.choices(arm, k=len(arm))) / middle(random.choices(base, k=len(base))) for _ in range(RESAMPLES)
    )
    tail = round(RESAMPLES * (1 - COVERED) / 2)
    return ratios[tail], ratios[-1 - tail]


def noise_floor(*arms: Sequence[float]) -> float | None:
    """The largest ratio of medians between two halves of one arm (A against A). None with fewer than two trials."""
    ratios = [abs(math.log(middle(one) / middle(other))) for arm in arms for one, other in _halves(arm)]
    return math.exp(max(ratios)) if ratios else None


def _halves(values: Sequence[float]) -> Iterator[tuple[list[float], list[float]]]:
    places, half = range(len(values)), len(values) // 2
    if half == 0:
        return
    if math.comb(len(values), half) <= SPLITS:
        chosen: Iterator[tuple[int, ...]] = combinations(places, half)
    else:
        random = Random(len(values))
        chosen = (tuple(random.sample(places, half)) for _ in range(SPLITS))
    for one in chosen:
        yield [values[i] for i in one], [values[i] for i in places if i not in one]


def percent(ratio: float) -> str:
    """By how much a ratio differs from one, for a reader: `4 %`, or `2.5 times` from two on."""
    size = max(ratio, 1 / ratio)
    if size >= 2:
        return f"{size:,.0f} times" if size >= 10 else f"{size:.1f} times"
    return f"{(size - 1) * 100:.0f} %" if size >= 1.1 else f"{(size - 1) * 100:.1f} %"
