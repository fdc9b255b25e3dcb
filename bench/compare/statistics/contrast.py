"""One arm against the base, for a whole table: the answer to each metric, and why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.compare.statistics.interval import interval
from bench.compare.statistics.pairs import Bound, Pair, Value, median, noise_floor, percent, resolved
from bench.compare.statistics.step_down import Logs, adjusted
from metrics.records.record import Record

Answer = Literal["higher", "lower", "no verdict"]
Hint = Literal["higher", "lower", ""]

FEWEST: Final = 5
"""Pairs below which two sign patterns of 2^n are too many for any verdict."""

ERRORS: Final = 0.05


@dataclass(frozen=True)
class Contrast(Record):
    """One arm against the base. `ratio` is the median of arm / base over the pairs, `ratios` has them all in order.

    `low` to `high` holds the true ratio with the chance `covered`. `p` is adjusted for the whole table. `noise_floor`
    is A against A, and above 1. `answer` says how the arm differs from the base, `hint` what it looks like where there
    are too few pairs to say; `because` says why there is no verdict. None: not known.
    """

    pairs: int
    ratios: list[float]
    ratio: float | None
    bound: Bound
    low: float | None
    high: float | None
    covered: float | None
    noise_floor: float | None
    p: float | None
    answer: Answer
    hint: Hint
    because: str


@dataclass(frozen=True)
class Terms:
    """What a table is judged by: how many arms stand against the base, and what forbids a verdict, if anything does."""

    contrasts: int = 1
    only_hints: str = ""
    no_verdict: str = ""

    @property
    def fewest(self) -> int:
        """Pairs without which nothing can be said: five, and for each doubling of the contrasts one more."""
        return FEWEST + math.ceil(math.log2(self.contrasts))


def error_rate(pairs: int, contrasts: int = 1) -> float:
    """How many of the comparisons in which nothing differs may say that something does: 1/20, of five pairs 1/16."""
    return max(ERRORS, math.ldexp(2.0 * contrasts, -pairs))


def contrasts(table: Mapping[str, Sequence[Pair]], terms: Terms, seed: str) -> dict[str, Contrast]:
    """Judge each metric of an arm by its pairs, in the order in which they ran. `seed` makes it repeatable.

    One that lacks the ratio of any pair gets a hint at most: whether a pair has one may hang on how its trials went, so
    those that have are a choice by outcome. Whoever turns pairs round leaves such gaps where they are.
    """
    usable = {name: _usable(pairs) for name, pairs in table.items()}
    table_of_logs = {
        name: [_logs(pair) for pair in table[name]]
        for name, pairs in usable.items()
        if isinstance(pairs, list) and len(pairs) >= terms.fewest and len(pairs) == len(table[name])
    }
    p = {name: min(1.0, terms.contrasts * value) for name, value in adjusted(table_of_logs, seed).items()}
    return {
        name: _unknown(pairs)
        if isinstance(pairs, str)
        else _contrast(pairs, len(table[name]), p.get(name), terms, f"{seed}/{name}")
        for name, pairs in usable.items()
    }


def _usable(pairs: Sequence[Pair]) -> list[Pair] | str:
    """The pairs that have a ratio; or why the metric has none."""
    if any(pair.zero for pair in pairs):
        return "in a trial it was zero"
    known = [pair for pair in pairs if pair.ratio is not None]
    if known:
        return known
    both = any(pair.base is not None and pair.arm is not None for pair in pairs)
    return "both were cut off" if both else "there is no pair of sound trials to take it from"


def _logs(pair: Pair) -> Logs:
    """A value that was cut off stands for itself: where nothing differs, either arm could have been cut off."""
    if pair.ratio is None or pair.base is None or pair.arm is None:
        return None, None
    return math.log(pair.base.value), math.log(pair.arm.value)


def _unknown(because: str) -> Contrast:
    return Contrast(0, [], None, "exact", None, None, None, None, None, "no verdict", "", because)


def _contrast(pairs: Sequence[Pair], ran: int, p: float | None, terms: Terms, seed: str) -> Contrast:
    ratios = [ratio for pair in pairs if (ratio := pair.ratio) is not None]
    middle, bounds = median(ratios), {ratio.bound for ratio in ratios}
    ends = interval([math.log(ratio.value) for ratio in ratios], seed)
    low = None if ends is None or "at_most" in bounds else math.exp(ends.low)
    high = None if ends is None or "at_least" in bounds else math.exp(ends.high)
    floor = noise_floor(pairs)
    side = _side(middle, low, high)
    forbidden = _forbidden(len(pairs), ran, terms)
    noise = "" if _beyond(middle, floor) else _noise(pairs, floor)
    because = forbidden or noise or _not_shown(side, p, error_rate(ran, terms.contrasts))
    hinted = bool(forbidden) and not terms.no_verdict and not noise
    return Contrast(
        pairs=len(pairs),
        ratios=[ratio.value for ratio in ratios],
        ratio=middle.value,
        bound=middle.bound,
        low=low,
        high=high,
        covered=None if ends is None else ends.covered,
        noise_floor=floor,
        p=p,
        answer=side if side and not because else "no verdict",
        hint=side if hinted else "",
        because=because,
    )


def _side(middle: Value, low: float | None, high: float | None) -> Hint:
    """Where both the median and the whole interval lie."""
    if middle.value > 1 and low is not None and low > 1:
        return "higher"
    return "lower" if middle.value < 1 and high is not None and high < 1 else ""


def _beyond(middle: Value, floor: float | None) -> bool:
    return floor is not None and max(middle.value, 1 / middle.value) > floor


def _forbidden(pairs: int, ran: int, terms: Terms) -> str:
    """Why a metric gets no verdict, whatever it shows: of the whole table, or for it has `pairs` of those that ran."""
    gaps = f"{ran - pairs} of {ran} pairs have no ratio, and the others are no fair choice: a hint at most"
    few = f"{pairs} pair{'' if pairs == 1 else 's'}: a hint at most, for a verdict takes {terms.fewest}"
    return terms.no_verdict or terms.only_hints or (gaps if pairs < ran else few if pairs < terms.fewest else "")


def _noise(pairs: Sequence[Pair], floor: float | None) -> str:
    if floor is None:
        return "no two trials of one arm are there to tell the noise"
    known = floor <= resolved(pairs)
    return f"{'its figures are known to' if known else 'trials of the same arm differ by up to'} {percent(floor)}"


def _not_shown(side: Hint, p: float | None, rate: float) -> str:
    if not side:
        return "the pairs contradict each other"
    if p is None or p > rate:
        told = "" if p is None else f" in {p * 100:.0f} of 100"
        return f"chance shows as much in some metric of such a table{told}"
    return ""
