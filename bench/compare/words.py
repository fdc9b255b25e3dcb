"""A comparison in plain words, whatever came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.compare.statistics.pairs import percent
from bench.report.words import milliseconds, seconds, whole

TIMES: Final = ("s", "ms")
BOUNDS: Final[Mapping[str, str]] = {"exact": "", "at_least": "at least ", "at_most": "at most "}
SIGNS: Final[Mapping[str, str]] = {"exact": "", "at_least": "≥ ", "at_most": "≤ "}
Part = Mapping[str, Any]
"""A part of `comparison.json`."""


def amount(value: float | None, unit: str, bound: str = "exact") -> str:
    """A value with its unit, a dash where there is none."""
    if value is None:
        return "–"
    told = number(value, unit) + {"s": "", "ms": " ms", "/s": "/s"}.get(unit, f" {unit}")
    return f"{BOUNDS[bound]}{told}"


def number(value: float, unit: str) -> str:
    """A value to about three figures, without its unit (but seconds, which are ms when small)."""
    return {"s": seconds, "ms": milliseconds}.get(unit, whole)(value)


def factor(contrast: Part) -> str:
    """The ratio for a table, with a sign where it is only a bound."""
    if contrast["ratio"] is None:
        return "–"
    return f"{SIGNS[contrast['bound']]}{_ratio(contrast['ratio'])}"


def interval(contrast: Part) -> str:
    """The interval of the ratio for a table."""
    low, high = contrast["low"], contrast["high"]
    if low is None:
        return "–" if high is None else f"up to {_ratio(high)}"
    return f"from {_ratio(low)}" if high is None else f"{_ratio(low)}–{_ratio(high)}"


def terms(document: Part) -> str:
    """How much the verdicts of a comparison are worth: pairs, error rate, and how the order came about."""
    pairs = document["pairs"]
    complete = counted(pairs["complete"])
    order = "the order within each was drawn by lot" if pairs["drawn"] else "in the order in which they were named"
    few = f"; a verdict takes {pairs['needed']}" if pairs["complete"] < pairs["needed"] else ""
    return (
        f"{complete}, {order}{few}; where nothing differs, at most "
        f"{round(pairs['error_rate'] * 100, 2):g} of 100 comparisons say of any metric that it does"
    )


def counted(pairs: int) -> str:
    """A number of pairs: `1 pair`."""
    return f"{pairs} pair{'' if pairs == 1 else 's'}"


def verdict(metric: Part, contrast: Part) -> str:
    """`better`, `worse`, `hint` or `no verdict`, from the arm's side."""
    if contrast["answer"] == "no verdict":
        return "hint" if contrast["hint"] else "no verdict"
    return "better" if contrast["answer"] == metric["better"] else "worse"


def sentence(metric: Part, contrast: Part) -> str:
    """What a contrast says, with the numbers that it rests on."""
    arms = {arm["arm"]: arm for arm in metric["arms"]}
    told = [f"{name} {_known(arms[name], metric['unit'])}" for name in (contrast["arm"], contrast["base"])]
    return f"{metric['label']}: {told[0]}, {told[1]}: {_said(metric, contrast)}."


def _known(arm: Part, unit: str) -> str:
    return "has no value" if arm["median"] is None else amount(arm["median"], unit, arm["bound"])


def _said(metric: Part, contrast: Part) -> str:
    if contrast["answer"] != "no verdict":
        return _told(metric, contrast, contrast["answer"])
    if contrast["hint"]:
        return f"no verdict; {contrast['because']}: {_told(metric, contrast, contrast['hint'])}"
    size = f"a difference of {_share(metric, contrast['ratio'])}, but " if contrast["ratio"] is not None else ""
    return f"no verdict; {size}{contrast['because']}"


def _told(metric: Part, contrast: Part, way: str) -> str:
    """The size of a difference in the words of its unit, with its interval."""
    ends = [end for end in (contrast["low"], contrast["high"]) if end is not None]
    if metric["unit"] in TIMES:
        size = _size(contrast["ratio"], ends, *(("fast", "faster") if way == "lower" else ("slow", "slower")))
    elif way == "higher":
        size = _size(contrast["ratio"], ends, "high", "higher")
    else:
        size = f"{_share(metric, contrast['ratio'])} lower"
    least = "" if contrast["bound"] == "exact" else "at least "
    return f"{least}{size} with {contrast['arm']}{_range(metric, contrast, way)}"


def _size(ratio: float, ends: Sequence[float], as_: str, than: str) -> str:
    if _in_times(ratio, *ends):
        return f"{_times(ratio)} times as {as_}"
    return f"{percent(ratio)} {than}"


def _range(metric: Part, contrast: Part, way: str) -> str:
    """The interval in the unit of the size that it belongs to; none where only a bound is known."""
    if contrast["bound"] != "exact":
        return ""
    ratio, low, high = contrast["ratio"], contrast["low"], contrast["high"]
    covered = coverage(contrast)
    if metric["unit"] not in TIMES and way == "lower":
        return f" ({covered} interval: {_share(metric, high)} to {_share(metric, low)})"
    ends = sorted(max(end, 1 / end) for end in (low, high))
    told = [_times(end) if _in_times(ratio, low, high) else percent(end) for end in ends]
    return f" ({covered} interval: {told[0]} to {told[1]})"


def coverage(contrast: Part) -> str:
    """The chance that the interval holds the true ratio, e.g. `93.75 %`; a dash without an interval."""
    return "–" if contrast["covered"] is None else f"{round(contrast['covered'] * 100, 2):g} %"


def _share(metric: Part, ratio: float) -> str:
    """A difference for a reader. Of a rate or a count, what is missing is a share of the base."""
    return f"{(1 - ratio) * 100:.0f} %" if ratio < 1 and metric["unit"] not in TIMES else percent(ratio)


def _in_times(*ratios: float) -> bool:
    return any(max(ratio, 1 / ratio) >= 2 for ratio in ratios)


def _times(ratio: float) -> str:
    size = max(ratio, 1 / ratio)
    return f"{size:,.0f}" if size >= 10 else f"{size:.1f}"


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"
