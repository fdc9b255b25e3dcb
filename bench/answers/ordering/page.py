"""The report of the strategies: one self-contained page, a pure function of `ordering.json`."""

from __future__ import annotations

from statistics import median
from typing import Any, Final

from bench.answers.ordering import judge
from bench.answers.ordering.markdown import command
from bench.answers.ordering.table import HEADS, cells, headline, verdict
from bench.report.page import page
from bench.report.words import machine_line, software_line
from metrics.records.answers.ordering import Ordering, Row

TONES: Final = {"sound": "ok", "caught": "open"}
SHORTEST_S: Final = 0.001
"""What a stall is drawn as at least, on its logarithmic axis."""


def render(document: Ordering) -> str:
    """The page."""
    measured = [row for row in document["rows"] if row["trials"]]
    charts = [_rates(measured), _stalls(measured)] if measured else []
    return page(
        "answers/ordering.html",
        charts_data={"charts": charts, "phases": [], "moments": [], "range": None} if charts else None,
        d=document,
        headline=headline(document),
        heads=HEADS,
        rows=[{**row, "cells": cells(row), "said": verdict(row), "tone": _tone(row)} for row in document["rows"]],
        trials=[(row["strategy"], trial) for row in measured for trial in row["trials"]],
        charts_shown=[chart["id"] for chart in charts],
        machine_line=machine_line(document["machine"]),
        software_line=software_line(document["postgres"], document["versions"]),
        command=command(document),
        footer=f"seed {document['seed']}",
    )


def _tone(row: Row) -> str:
    return TONES.get(row["verdict"], "fault") if judge.as_it_must(row) else "fault"


def _rates(rows: list[Row]) -> dict[str, Any]:
    each = [[trial["load"]["appends_per_s"] for trial in row["trials"]] for row in rows]
    trace = {
        "name": "appends/s",
        "x": list(range(len(rows))),
        "y": [median(values) for values in each],
        "low": [min(values) for values in each],
        "high": [max(values) for values in each],
        "color": "c0",
        "mode": "markers",
    }
    about = "appends committed a second, the median of the rounds, from the lowest to the highest"
    return {**_chart(rows, "rates", "Appends a second"), "about": about, "unit": "appends/s", "traces": [trace]}


def _stalls(rows: list[Row]) -> dict[str, Any]:
    shown = (
        ("reader, stalled writer", "stalled_writer", "follower_s", "c0"),
        ("writers, stalled writer", "stalled_writer", "writers_s", "c1"),
        ("reader, foreign transaction", "foreign_transaction", "follower_s", "c2"),
    )
    traces = [
        {
            "name": name,
            "x": list(range(len(rows))),
            "y": [_longest(row, phase, figure) for row in rows],
            "color": color,
            "mode": "markers",
        }
        for name, phase, figure, color in shown
    ]
    about = "seconds from a commit to the reader's sight, and of an append by others, the longest; logarithmic"
    chart = {**_chart(rows, "stalls", "Who stands while one transaction does"), "about": about, "unit": "s"}
    return {**chart, "traces": traces, "ytype": "log"}


def _longest(row: Any, phase: str, figure: str) -> float:
    return max(SHORTEST_S, float(row[phase][figure]))


def _chart(rows: list[Row], name: str, title: str) -> dict[str, Any]:
    ticks = {"tickvals": list(range(len(rows))), "ticktext": [row["strategy"] for row in rows]}
    return {"id": name, "title": title, "hover": "closest", "named": True, **ticks}
