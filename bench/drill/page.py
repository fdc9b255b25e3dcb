"""The report of drills: one self-contained page, a pure function of `drills.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.drill.charts import charts
from bench.drill.document import errors, right_again, stalled, taken_over, wrong
from bench.drill.repetition import AROUND, COUNTED
from bench.drill.table import headline
from bench.report.charts.table import told
from bench.report.page import page
from metrics.records.answers.drills import Drill, Drills
from settings import strategies

TONES: Final = {"passed": "ok", "failed": "fault", "not hit": "open"}


def render(document: Drills, name: str) -> str:
    """The page; `name` is that of the folder that has the document."""
    drills = document["drills"]
    faults = list(dict.fromkeys(one["name"] for one in drills))
    curves = [_curves(document, number, fault) for number, fault in enumerate(faults)]
    drawn = [chart for each in curves for chart in each["charts"]]
    return page(
        "drills.html",
        charts_data={"charts": drawn, "phases": [], "moments": [], "range": None} if drawn else None,
        contents=_contents(document, curves),
        name=name,
        target=document["target"],
        tone=_tone(document),
        headline=headline(document),
        drills=[_row(each) for each in drills],
        curves=curves,
        without=document.get("not_applicable", []),
        counted=", ".join(COUNTED).replace("_", " "),
        footer=name,
    )


def _contents(document: Drills, curves: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The sections, each fault's curves among them."""
    without = [("without", "Not applicable")] if document.get("not_applicable") else []
    shown = [(each["id"], each["fault"]) for each in curves]
    return [("drills", "Table"), *shown, ("runs", "Repetitions"), *without, ("terms", "How to read this")]


def _tone(document: Drills) -> str:
    verdicts = {each["verdict"] for each in document["drills"]}
    cut_short = bool(document.get("why")) or not verdicts
    return "bad" if "failed" in verdicts else "open" if "not hit" in verdicts or cut_short else "good"


def _curves(document: Drills, number: int, fault: str) -> dict[str, Any]:
    """A fault's section: its curves, those of all strategies in one chart."""
    alone = document["target"]["name"]
    curves = [(one["strategy"], one.get("curve")) for one in document["drills"] if one["name"] == fault]
    found = {strategies.told(strategy) or alone: curve for strategy, curve in curves if curve is not None}
    id = f"fault-{number}"
    return {"id": id, "fault": fault, "charts": charts(id, fault, found)}


def _row(drill: Drill) -> dict[str, Any]:
    return {
        **drill,
        "tone": TONES[drill["verdict"]],
        "after": taken_over(drill, "at most"),
        "stall": stalled(drill, "at most"),
        "right": right_again(drill, "at most"),
        "untold": f"Not told: {', '.join(drill['not_told'])}." if drill.get("not_told") else "",
        "visible": " → ".join(told(value) for value in _around(drill)),
        "counted": wrong(drill),
        "failed_requests": errors(drill),
    }


def _around(drill: Mapping[str, Any]) -> list[float | None]:
    return [drill["visible_p99_ms"][when] for when in AROUND]
