"""The report of drills: one self-contained page, a pure function of `drills.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.drill.document import right_again, taken_over
from bench.drill.repetition import COUNTED
from bench.report.charts.table import told
from bench.report.page import page

TONES: Final = {"passed": "ok", "failed": "fault", "not hit": "open"}
SPANS: Final = ("before", "during", "after")
COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")


def render(document: Mapping[str, Any], name: str) -> str:
    """The page; `name` is that of the folder that has the document."""
    drills = document["drills"]
    chart = _around(drills)
    shown = chart if chart["traces"] else None
    return page(
        "drills.html",
        charts_data={"charts": [shown], "phases": [], "moments": [], "range": None} if shown else None,
        name=name,
        tone=_tone(drills),
        headline=headline(drills),
        drills=[_row(each) for each in drills],
        chart=shown,
        counted=", ".join(COUNTED).replace("_", " "),
        footer=name,
    )


def headline(drills: Sequence[Mapping[str, Any]]) -> str:
    """How many passed, and what was counted in all repetitions."""
    passed = sum(each["verdict"] == "passed" for each in drills)
    runs, faults = sum(each["repetitions"] for each in drills), sum(_counted(each) for each in drills)
    lost = "nothing was lost, doubled or reordered" if not faults else f"{faults} events or rows are wrong"
    in_all = "1 run" if runs == 1 else f"{runs} runs"
    return f"{passed} of {len(drills)} drills passed; {lost} in {in_all}, each judged by both oracles."


def _tone(drills: Sequence[Mapping[str, Any]]) -> str:
    verdicts = {each["verdict"] for each in drills}
    return "bad" if "failed" in verdicts else "open" if "not hit" in verdicts else "good"


def _counted(drill: Mapping[str, Any]) -> int:
    return sum(drill[count] or 0 for count in COUNTED)


def _around(drills: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write to visible before, during and after the fault."""
    traces = []
    for drill, color in zip(drills, COLORS * len(drills), strict=False):
        y = [drill["visible_p99_ms"][span] for span in SPANS]
        if any(value is not None for value in y):
            name = f"{drill['name']}, {drill['strategy']}"
            traces.append({"name": name, "x": [1, 2, 3], "y": y, "color": color, "mode": "lines+markers"})
    chart = {"id": "around", "title": "Write to visible around the fault, p99", "unit": "ms", "ytype": "log"}
    about = "milliseconds, logarithmic; medians of the repetitions that hit"
    return {**chart, "about": about, "traces": traces, "tickvals": [1, 2, 3], "ticktext": SPANS, "xtext": list(SPANS)}


def _row(drill: Mapping[str, Any]) -> dict[str, Any]:
    untold = f"Not told: {', '.join(drill['not_told'])}." if drill.get("not_told") else ""
    visible = " → ".join(told(drill["visible_p99_ms"][span]) for span in SPANS)
    tone = TONES[drill["verdict"]]
    words = {"after": taken_over(drill, "at most"), "right": right_again(drill, "at most"), "untold": untold}
    return {**drill, **words, "tone": tone, "visible": visible, "counted": _counted(drill)}
