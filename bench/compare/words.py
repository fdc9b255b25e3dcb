"""A comparison in plain words, whatever came out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.compare.statistics import percent
from bench.report import milliseconds, seconds, whole

Part = Mapping[str, Any]
"""A part of `comparison.json`."""


def amount(value: float | None, unit: str, bound: str = "exact") -> str:
    """A value with its unit, a dash where there is none."""
    if value is None:
        return "–"
    told = number(value, unit) + {"s": "", "ms": " ms", "/s": "/s"}.get(unit, f" {unit}")
    return f"at least {told}" if bound == "at_least" else told


def number(value: float, unit: str) -> str:
    """A value to about three figures, without its unit (but seconds, which are ms when small)."""
    return {"s": seconds, "ms": milliseconds}.get(unit, whole)(value)


def factor(contrast: Part) -> str:
    """The ratio for a table, with a sign where it is only a bound."""
    if contrast["ratio"] is None:
        return "–"
    sign = {"exact": "", "at_least": "≥ ", "at_most": "≤ "}[contrast["bound"]]
    return f"{sign}{_ratio(contrast['ratio'])}"


def interval(contrast: Part) -> str:
    """The interval of the ratio for a table."""
    low, high = contrast["low"], contrast["high"]
    if low is None and high is None:
        return "–"
    return f"{'' if low is None else _ratio(low)}–{'' if high is None else _ratio(high)}"


def verdict(metric: Part, contrast: Part) -> str:
    """`better`, `worse` or `no verdict`, from the arm's side."""
    if contrast["answer"] == "no verdict":
        return "no verdict"
    return "better" if contrast["answer"] == metric["better"] else "worse"


def sentence(metric: Part, contrast: Part) -> str:
    """What a contrast says, with the numbers that it rests on."""
    arms = {arm["arm"]: arm for arm in metric["arms"]}
    told = [
        f"{name} {amount(arms[name]['median'], metric['unit'], arms[name]['bound'])}"
        for name in (contrast["arm"], contrast["base"])
    ]
    return f"{metric['label']}: {told[0]}, {told[1]}: {_said(metric, contrast)}."


def _said(metric: Part, contrast: Part) -> str:
    if contrast["answer"] == "no verdict":
        size = f"a difference of {percent(contrast['ratio'])}, but " if contrast["ratio"] is not None else ""
        return f"no verdict; {size}{contrast['because']}"
    name, size = contrast["arm"], percent(contrast["ratio"])
    least = "" if contrast["bound"] == "exact" else "at least "
    if metric["unit"] in ("s", "ms"):
        way = "faster" if contrast["answer"] == "lower" else "slower"
    else:
        way = contrast["answer"]
    return f"{least}{size} {way} with {name}{_range(contrast)}"


def _range(contrast: Part) -> str:
    if contrast["bound"] != "exact":
        return ""
    low, high = sorted(max(end, 1 / end) for end in (contrast["low"], contrast["high"]))
    if high < 2:
        return f" (95 % interval: {percent(low)} to {percent(high)})"
    return f" (95 % interval: {_ratio(low)} to {_ratio(high)} times)"


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"
