"""A chart as SVG paths and labels placed by percent: sharp at every width, in print, and without a script.

A chart is plain data: `id`, `title`, `about`, `unit`, and `traces` with `name`, `x`, `y` and `color`. The same data is
embedded for the script that reads values out under the pointer. One that is `named` has names along its horizontal
axis, which stand slanted, so that many find room beside one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.report.charts import scale, table
from bench.report.charts.scale import Axis

GRID: Final = 1000
"""Units of the drawing in both directions; it is stretched to the room that there is."""
MARK: Final = 9

Chart = Mapping[str, Any]
Trace = Mapping[str, Any]


@dataclass(frozen=True)
class Drawn:
    """What the template `figure.html` shows of a chart. Places are percents from the left and from the top."""

    chart: Chart
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    bands: list[dict[str, Any]]
    moments: list[dict[str, Any]]
    paths: list[dict[str, str]]
    marks: list[dict[str, Any]]
    key: list[tuple[str, str]]
    label: str
    figures: table.Figures


def draw(chart: Chart, drawn: Mapping[str, Any]) -> Drawn:
    """The chart; `drawn` has the phases, moments and range that timelines share."""
    x, y = axes(chart, drawn)
    timeline = bool(chart.get("timeline"))
    key = {trace["name"]: trace["color"] for trace in chart["traces"] if trace.get("legend") is not False}
    return Drawn(
        chart=chart,
        x_ticks=[(_percent(x.place(value)), label) for value, label in x.ticks],
        y_ticks=[(_percent(1 - y.place(value)), label) for value, label in y.ticks],
        bands=_bands(x, drawn["phases"]) if timeline else [],
        moments=[{**each, "left": _percent(x.place(each["at"]))} for each in drawn["moments"]] if timeline else [],
        paths=[path for trace in chart["traces"] for path in _paths(trace, x, y)],
        marks=[mark for trace in chart["traces"] for mark in _marks(trace, x, y)],
        key=list(key.items()),
        label=table.label(chart),
        figures=table.figures(chart),
    )


def axes(chart: Chart, drawn: Mapping[str, Any]) -> tuple[Axis, Axis]:
    """The horizontal and the vertical axis."""
    return _horizontal(chart, drawn), _vertical(chart)


def _horizontal(chart: Chart, drawn: Mapping[str, Any]) -> Axis:
    values = [value for trace in chart["traces"] for value in trace["x"]] or [0.0]
    low, high = drawn["range"] if chart.get("timeline") and drawn["range"] else (min(values), max(values))
    if chart.get("tickvals"):
        ticks = list(zip(chart["tickvals"], map(str, chart["ticktext"]), strict=True))
        low, high = min(low, ticks[0][0]), max(high, ticks[-1][0])
        room = 0.0 if chart.get("xtype") == "log" else (high - low) * 0.04 or 0.5
        return scale.labelled(low - room, high + room, ticks, log=chart.get("xtype") == "log")
    if chart.get("xtype") == "log":
        return scale.logarithmic(values)
    over_time = bool(chart.get("timeline") or chart.get("seconds"))
    axis = scale.linear(low, high, zero=not chart.get("timeline") and low > 0, within=over_time)
    unit = " s" if over_time else chart.get("xunit", "")
    return scale.labelled(axis.low, axis.high, [(value, label + unit) for value, label in axis.ticks])


def _vertical(chart: Chart) -> Axis:
    of_all = [value for trace in chart["traces"] for name in ("y", "low", "high") for value in trace.get(name, [])]
    values = [value for value in of_all if value is not None] or [0.0]
    if chart.get("ytype") == "log":
        return scale.logarithmic(values)
    if chart.get("yrange"):
        return scale.linear(*chart["yrange"], within=True)
    return scale.linear(min(values), max(values), zero=True)


def _bands(x: Axis, phases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    bands = []
    for phase in phases:
        left, right = _percent(x.place(phase["from"])), _percent(x.place(phase["to"]))
        bands.append({"name": phase["name"], "left": left, "width": round(right - left, 2)})
    return bands


def _paths(trace: Trace, x: Axis, y: Axis) -> Iterator[dict[str, str]]:
    lined = "lines" in trace.get("mode", "lines")
    dash = {"dot": "dotted", "dash": "dashed"}.get(trace.get("dash") or "", "")
    for run in _runs(trace, x, y):
        line = "M" + "L".join(f"{_unit(left)} {_unit(top)}" for left, top in run)
        if trace.get("fill"):
            closed = f"{line}L{_unit(run[-1][0])} {GRID}L{_unit(run[0][0])} {GRID}Z"
            yield {"kind": "fill", "color": trace["color"], "d": closed}
        if lined and len(run) > 1:
            yield {"kind": f"line {dash}".strip(), "color": trace["color"], "d": line}
    for left, low, high in zip(trace["x"], trace.get("low", []), trace.get("high", []), strict=False):
        if low is not None and high is not None:
            at = _unit(x.place(left))
            d = f"M{at} {_unit(1 - y.place(low))}L{at} {_unit(1 - y.place(high))}"
            yield {"kind": "interval", "color": trace["color"], "d": d}


def _runs(trace: Trace, x: Axis, y: Axis) -> Iterator[list[tuple[float, float]]]:
    """Neighbours that both have a value make a line; a step keeps its value until the next one."""
    run: list[tuple[float, float]] = []
    for at, value in zip(trace["x"], trace["y"], strict=False):
        if value is None:
            if run:
                yield run
            run = []
            continue
        left, top = x.place(at), 1 - y.place(value)
        if run and trace.get("shape") == "hv":
            run.append((left, run[-1][1]))
        run.append((left, top))
    if run:
        yield run


def _marks(trace: Trace, x: Axis, y: Axis) -> Iterator[dict[str, Any]]:
    if "markers" not in trace.get("mode", ""):
        return
    count = len(trace["y"])
    sizes, symbols = trace.get("sizes") or [MARK] * count, trace.get("symbols") or ["circle"] * count
    for at, value, size, symbol in zip(trace["x"], trace["y"], sizes, symbols, strict=False):
        if value is not None and size:
            place = {"left": _percent(x.place(at)), "top": _percent(1 - y.place(value))}
            yield {**place, "color": trace["color"], "symbol": symbol}


def _unit(share: float) -> str:
    return f"{share * GRID:.1f}".removesuffix(".0")


def _percent(share: float) -> float:
    return round(share * 100, 2)
