"""The report of a capacity: one self-contained page, a pure function of `capacity.json`."""

from __future__ import annotations

from typing import Any, Final

from bench.answers.capacity import words
from bench.answers.capacity.table import headline
from bench.report.page import page
from bench.report.words import machine_line, settings_told, software_line
from metrics.records.answers.capacity import UNIT, Capacity, Curve

COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
TONES: Final = {"holds": "ok", "fails": "fault"}
SYMBOLS: Final = {"holds": "circle", "fails": "cross", "unsound": "triangle-up"}


def render(document: Capacity) -> str:
    """The page."""
    curves = document["curves"]
    charts = [chart for chart in (_by_replicas(curves), _visible(curves)) if any(each["y"] for each in chart["traces"])]
    return page(
        "answers/capacity.html",
        charts_data={"charts": charts, "phases": [], "moments": [], "range": None},
        d=document,
        headline=headline(document),
        curves=[{**curve, "name": words.name(curve)} for curve in curves],
        rungs=[_rung(curve, rung) for curve in curves for rung in curve["rungs"]],
        loads={name: words.loads(document, name) for name in dict.fromkeys(curve["strategy"] for curve in curves)},
        charts_shown=charts,
        machine_line=machine_line(document["machine"]),
        software_line=software_line(document["postgres"], document["versions"]),
        settings=settings_told(document["settings"]),
        footer=f"seed of the first trial {document['seed']}",
    )


def _rung(curve: Curve, rung: Any) -> dict[str, Any]:
    return {
        **rung,
        "curve": words.name(curve),
        "rate": words.rate(rung["rate"]),
        "slope": words.slope(rung),
        "told": words.told(rung),
        "tone": TONES.get(rung["outcome"], "open"),
    }


def _by_replicas(curves: list[Curve]) -> dict[str, Any]:
    traces = []
    for number, strategy in enumerate(dict.fromkeys(curve["strategy"] for curve in curves)):
        own = [curve for curve in curves if curve["strategy"] == strategy and curve["holds"] is not None]
        x = [curve["projectors"] for curve in own]
        ends = (("holds", None, [curve["holds"] for curve in own]), ("fails", "dot", [curve["fails"] for curve in own]))
        for end, dash, y in ends:
            trace = {"name": f"{strategy}, {end}", "x": x, "y": y, "color": COLORS[number % len(COLORS)]}
            traces.append({**trace, "mode": "lines+markers", "dash": dash})
    chart = {"id": "replicas", "title": "Capacity by replicas", "unit": UNIT, "traces": traces, "hover": "closest"}
    counts = sorted({curve["projectors"] for curve in curves})
    about = f"{UNIT} by number of projectors: the rate that holds, and the one that fails"
    return {**chart, "about": about, "tickvals": counts, "ticktext": counts}


def _visible(curves: list[Curve]) -> dict[str, Any]:
    traces = []
    for number, curve in enumerate(curves):
        rungs = sorted((r for r in curve["rungs"] if r["visible_p99_ms"] is not None), key=lambda r: r["rate"])
        trace = {"name": words.name(curve), "x": [r["rate"] for r in rungs], "y": [r["visible_p99_ms"] for r in rungs]}
        symbols = [SYMBOLS.get(r["outcome"], "diamond") for r in rungs]
        traces.append({**trace, "color": COLORS[number % len(COLORS)], "mode": "markers", "symbols": symbols})
    chart = {"id": "visible", "title": "Write to visible, p99", "unit": "ms", "traces": traces, "hover": "closest"}
    about = f"ms by {UNIT}, a mark a trial: a circle holds, a cross fails, a triangle is the generator's end"
    return {**chart, "about": about, "ytype": "log"}
