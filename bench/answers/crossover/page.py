"""The report of a crossover map: one self-contained page, a pure function of `crossover.json`."""

from __future__ import annotations

from typing import Any

from bench.answers.crossover.table import cell_at, headline, label, worth
from bench.report.page import page
from bench.report.words import machine_line, settings_told, software_line, whole
from metrics.records.answers.crossover import Cell, Crossover, Side

COLORS = ("c0", "c1", "c2", "c3", "c4", "c5")


def render(document: Crossover) -> str:
    """The page."""
    chart = _ratios(document)
    return page(
        "answers/crossover.html",
        charts_data={"charts": [chart] if chart["traces"] else [], "phases": [], "moments": [], "range": None},
        d=document,
        headline=headline(document),
        worth=worth(document),
        rows=[_row(document, cost) for cost in document["costs_ms"]],
        trials=[
            _trial(cell, number, pair) for cell in document["cells"] for number, pair in enumerate(cell["pairs"], 1)
        ],
        chart=chart["id"] if chart["traces"] else "",
        machine_line=machine_line(document["machine"]),
        software_line=software_line(document["postgres"], document["versions"]),
        settings=settings_told(document["settings"]),
        footer=f"seed of the first pair {document['seed']}",
    )


def _row(document: Crossover, cost: float) -> dict[str, Any]:
    cells = [cell_at(document, cost, skew) for skew in document["skews"]]
    return {"cost": f"{cost:g} ms", "cells": [_cell(document, cell) for cell in cells]}


def _cell(document: Crossover, cell: Cell | None) -> dict[str, str]:
    if cell is None:
        return {"said": label(document, cell), "because": "", "tone": "open"}
    tone = "open" if cell["faster"] is None else "ok" if cell["faster"] == document["sides"][1] else "fault"
    return {"said": cell["said"], "because": cell["because"], "tone": tone}


def _trial(cell: Cell, number: int, pair: list[Side]) -> dict[str, Any]:
    sides = [{**side, "told": _speed(side)} for side in pair]
    return {
        "cost": f"{cell['cost_ms']:g}",
        "skew": f"{cell['skew']:g}",
        "rate": cell["rate"],
        "number": number,
        "sides": sides,
    }


def _speed(side: Side) -> str:
    if side["speed_events_per_s"] is None:
        return "not told"
    return f"{'at most ' if side['bound'] == 'at_most' else ''}{whole(side['speed_events_per_s'])}"


def _ratios(document: Crossover) -> dict[str, Any]:
    traces = []
    costs = list(document["costs_ms"])
    for number, skew in enumerate(document["skews"]):
        cells = [cell_at(document, cost, skew) for cost in costs]
        ends = {name: [None if cell is None else cell[name] for cell in cells] for name in ("ratio", "low", "high")}
        if any(value is not None for value in ends["ratio"]):
            trace = {
                "name": f"SKEW={skew:g}",
                "x": list(range(len(costs))),
                "y": ends["ratio"],
                "color": COLORS[number % 6],
            }
            traces.append({**trace, "low": ends["low"], "high": ends["high"], "mode": "lines+markers"})
    first, second = document["sides"]
    about = f"speed of {second} / speed of {first}, logarithmic, with its interval; above 1 {second} is faster"
    ticks = {"tickvals": list(range(len(costs))), "ticktext": [f"{cost:g} ms" for cost in costs]}
    return {"id": "ratios", "title": "Ratio by the cost of an event", "about": about, "unit": "", "traces": traces,
            "ytype": "log", "hover": "closest", **ticks}  # fmt: skip
