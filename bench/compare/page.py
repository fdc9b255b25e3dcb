"""The report of a comparison: one self-contained page, a pure function of `comparison.json`.

What the template `comparison.html` is given: the document as `d` (`metrics/records/comparison`); the sentences
`headline` and `terms`; `doubts`, those that the headline has not said; `leads`, of each lead metric and arm `text`,
`verdict` and `tone`; `rows`, of each metric `label`, `better`, `arms` (`median`, `spread`) and `contrasts` (`ratio`,
`interval`, `covered`, `floor`, `verdict`, `tone`, `because`); `timelines` and `plots`, charts; `trials`, in the order
of time, with `pair`, `doubts` and what else the document has of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from bench.compare import words
from bench.compare.table import headline, untold
from bench.report.charts.timelines import line
from bench.report.page import page
from bench.report.words import WORDS, machine_line, settings_told, software_line

COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
WIDE: Final = 10
TONES: Final = {"better": "ok", "worse": "fault", "hint": "open", "no verdict": "open"}


def render(document: Mapping[str, Any]) -> str:
    """The page."""
    plots = [_plot(document, metric) for metric in document["metrics"] if any(a["trials"] for a in metric["arms"])]
    timelines = [_timeline(document, *each) for each in TIMELINES] if document["metrics"] else []
    undrawn = [chart["title"] for chart in timelines if not chart["traces"]]
    timelines = [chart for chart in timelines if chart["traces"]]
    drawn = {"charts": [*timelines, *plots], "phases": [], "moments": [], "range": None}
    return page(
        "comparison.html",
        charts_data=drawn if plots else None,
        d=document,
        headline=headline(document),
        doubts=untold(document),
        terms=words.terms(document),
        leads=[_lead(metric, c) for metric in document["metrics"] if metric["lead"] for c in metric["contrasts"]],
        rows=[_row(metric) for metric in document["metrics"]],
        timelines=timelines,
        left_out=f"Not drawn, for no trial has a value: {', '.join(undrawn)}." if undrawn else "",
        plots=plots,
        trials=[_trial(trial) for trial in document["trials"]],
        machine_line=machine_line(document["machine"]),
        software_line=software_line(document["postgres"], document["versions"]),
        settings=settings_told(document["settings"]),
        footer=f"seed of the intervals {document['seed']}",
    )


TIMELINES: Final = (
    ("backlog", "Backlog", "events not yet projected, one line a trial; 0 s is the start of the load phase", "events"),
    ("actions_per_s", "Actions", "acknowledged a second, one line a trial", "/s"),
)


def _timeline(document: Mapping[str, Any], name: str, title: str, about: str, unit: str) -> dict[str, Any]:
    seen: set[str] = set()
    traces = []
    for trial in document["trials"]:
        values = trial["series"].get(name, [])
        if not any(value is not None for value in values):
            continue
        trace = {"name": trial["arm"], "x": trial["series"]["t"], "color": _color(document, trial)}
        trace |= line(values)
        traces.append({**trace, "group": trial["arm"], "legend": trial["arm"] not in seen})
        seen.add(trial["arm"])
    chart = {"id": f"time-{name}", "title": title, "about": about, "unit": unit, "seconds": True}
    return {**chart, "traces": traces, "hover": "closest"}


def _plot(document: Mapping[str, Any], metric: Mapping[str, Any]) -> dict[str, Any]:
    traces, found = [], []
    for number, arm in enumerate(document["arms"]):
        points = [
            (place, trial["values"][metric["name"]])
            for place, trial in enumerate(document["trials"], start=1)
            if trial["arm"] == arm and metric["name"] in trial["values"]
        ]
        y = [value["value"] for _, value in points]
        found += [value for value in y if value > 0]
        symbols = ["circle" if value["bound"] == "exact" else "triangle-up" for _, value in points]
        trace = {"name": arm, "x": [place for place, _ in points], "y": y, "color": COLORS[number % len(COLORS)]}
        traces.append({**trace, "mode": "lines+markers", "dash": "dot", "symbols": symbols})
    chart = {"id": f"trial-{metric['name']}", "title": metric["label"], "unit": metric["unit"]}
    wide = len(found) > 1 and len(found) == sum(len(t["y"]) for t in traces) and max(found) / min(found) > WIDE
    about = f"{'logarithmic, ' if wide else ''}{metric['unit']}, trials in their order; {metric['better']} is better"
    ticks = list(range(1, len(document["trials"]) + 1))
    scale = _powers(min(found), max(found)) if wide else {}
    return {**chart, "about": about, "traces": traces, "tickvals": ticks, "ticktext": ticks, **scale}


def _powers(low: float, high: float) -> dict[str, Any]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return {"ytype": "log", "yrange": [first, last], "ytickvals": [10.0**power for power in range(first, last + 1)]}


def _color(document: Mapping[str, Any], trial: Mapping[str, Any]) -> str:
    return COLORS[document["arms"].index(trial["arm"]) % len(COLORS)]


def _lead(metric: Mapping[str, Any], contrast: Mapping[str, Any]) -> dict[str, str]:
    verdict = words.verdict(metric, contrast)
    return {"text": words.sentence(metric, contrast), "verdict": verdict, "tone": TONES[verdict]}


def _row(metric: Mapping[str, Any]) -> dict[str, Any]:
    arms = [
        {"median": words.amount(arm["median"], metric["unit"], arm["bound"]), "spread": _spread(metric, arm)}
        for arm in metric["arms"]
    ]
    contrasts = [
        {
            "ratio": words.factor(contrast),
            "interval": words.interval(contrast),
            "covered": words.coverage(contrast),
            "floor": f"{contrast['noise_floor']:.2f}" if contrast["noise_floor"] else "–",
            "verdict": words.verdict(metric, contrast),
            "tone": TONES[words.verdict(metric, contrast)],
            "because": contrast["because"],
        }
        for contrast in metric["contrasts"]
    ]
    return {"label": metric["label"], "better": metric["better"], "arms": arms, "contrasts": contrasts}


def _spread(metric: Mapping[str, Any], arm: Mapping[str, Any]) -> str:
    if arm["min"] is None:
        return "no trial"
    return " – ".join(words.number(arm[end], metric["unit"]) for end in ("min", "max"))


def _trial(trial: Mapping[str, Any]) -> dict[str, Any]:
    return {**trial, "verdict": WORDS[trial["verdict"]], "good": trial["verdict"] == "converged"}
