"""A chart in words and as a table: what it shows for whoever does not see it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

MOST_ROWS: Final = 60
SUMMARY: Final = ("points", "smallest", "median", "largest", "last")

Chart = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """A table of a chart's figures; `about` says what a row is."""

    head: list[str]
    rows: list[list[str]]
    about: str


def figures(chart: Chart) -> Figures:
    """A row for each place on the horizontal axis, thinned; a row for each curve where they differ in those."""
    traces: Sequence[Mapping[str, Any]] = chart["traces"]
    if not traces:
        return Figures([], [], "")
    places = list(traces[0]["x"])
    if any(list(trace["x"]) != places for trace in traces):
        rows = [_summary(trace) for trace in traces]
        return Figures(
            [f"curve, {chart['unit']}" if chart["unit"] else "curve", *SUMMARY], rows, "a row for each curve"
        )
    step = math.ceil(len(places) / MOST_ROWS) or 1
    texts = [told_at(chart, number) for number in range(len(places))]
    chosen = range(0, len(places), step)
    rows = [[texts[number], *(told(_value(trace, number)) for trace in traces)] for number in chosen]
    unit = f", {chart['unit']}" if chart["unit"] else ""
    about = f"every {step}th value" if step > 1 else "every value"
    return Figures([chart.get("xname", _name(chart)), *(trace["name"] + unit for trace in traces)], rows, about)


def label(chart: Chart) -> str:
    """The chart in one sentence: each curve with its ends."""
    unit = f" {chart['unit']}" if chart["unit"] else ""
    said = []
    for trace in chart["traces"]:
        known = [value for value in trace["y"] if value is not None]
        if known:
            said.append(f"{trace['name']} between {told(min(known))} and {told(max(known))}{unit}")
    return f"{chart['title']}: {'; '.join(said)}" if said else f"{chart['title']}: no value"


def told_at(chart: Chart, number: int) -> str:
    """A place on the horizontal axis, for a reader."""
    if chart.get("xtext"):
        return str(chart["xtext"][number])
    value = chart["traces"][0]["x"][number]
    return f"{value:,g} s" if chart.get("timeline") or chart.get("seconds") else f"{value:,g}"


def told(value: float | None) -> str:
    """A value with three figures or so, a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _value(trace: Mapping[str, Any], number: int) -> float | None:
    """A curve that was cut off has no value beyond its end."""
    return trace["y"][number] if number < len(trace["y"]) else None


def _name(chart: Chart) -> str:
    return "time" if chart.get("timeline") or chart.get("seconds") else ""


def _summary(trace: Mapping[str, Any]) -> list[str]:
    known = [value for value in trace["y"] if value is not None]
    if not known:
        return [trace["name"], "0", *["–"] * (len(SUMMARY) - 1)]
    return [trace["name"], str(len(known)), *map(told, (min(known), median(known), max(known), known[-1]))]
