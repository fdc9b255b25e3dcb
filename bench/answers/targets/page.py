"""The report of a table of targets: one self-contained page, a pure function of `targets.json`.

What the template `targets.html` is given: the document as `d` (`metrics/records/answers/targets`); `headline`, `terms`,
`doubts`, `tone` and `said` of the sitting; `left_out`, pairs of names and reason; `rows`, of each target its record
with `word`, `kind`, `good`, `cells` (`median`, `spread`, `ratio`, `verdict`, `tone`, `why`), `mark`, `after_kill`
(phrases) and `not_killed`, and `reference`, their head where they are not ranked; `plots`, charts; `trials`, in the
order of the targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.answers.targets import kills
from bench.answers.targets.document import REFERENCE, kind
from bench.answers.targets.table import apart, doubts, headline, left_out, ratio, reading, spread, terms, word
from bench.compare import words
from bench.report.page import page
from bench.report.words import WORDS, machine_line, settings_told, software_line
from metrics.records.answers.targets import Figure, Row, Targets

COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
SYMBOLS: Final = ("circle", "diamond", "cross", "triangle-up")
"""Where there are more targets than colors."""
TONES: Final = {"better": "ok", "worse": "fault", "hint": "open", "no verdict": "open", "": "open"}
PLOTTED: Final = ("actions_per_s", "visible_p99_ms", "system_cpu_us_per_action", "wal_bytes_per_action")


def render(document: Targets) -> str:
    """The page."""
    plots = list(_plots(document))
    sound = document["sound"]
    return page(
        "targets.html",
        charts_data={"charts": plots, "phases": [], "moments": [], "range": None} if plots else None,
        d=document,
        headline=headline(document),
        terms=terms(document),
        doubts=doubts(document),
        left_out=left_out(document["left_out"]),
        tone="bad" if document["why"] else "good" if sound and not document["doubts"] else "open",
        said="Broken off" if document["why"] else "Measured" if sound else "Measured in part",
        rows=[shown(document, row) for row in apart(document["rows"])],
        reference=REFERENCE,
        plots=plots,
        trials=[
            {**trial, "target": row["name"], "word": WORDS[trial["verdict"]], "good": trial["verdict"] == "converged"}
            for row in document["rows"]
            for trial in row["trials"]
        ],
        machine_line=machine_line(document["machine"]),
        software_line=software_line(document["postgres"], document["versions"]),
        settings=settings_told(document["settings"]),
        footer=f"seed of the intervals {document['seed']}",
    )


def shown(document: Targets, row: Row) -> dict[str, Any]:
    """A row as the template is given it."""
    cells = [_cell(document, figure, row) for figure in document["figures"]]
    return {
        **row,
        "kind": kind(row).partition(",")[0],
        "word": word(row),
        "good": row["verdict"] == "converged",
        "cells": cells,
        **_killed(row),
    }


def _killed(row: Row) -> dict[str, Any]:
    return {"mark": kills.mark(row), "after_kill": kills.phrases(row), "not_killed": row.get("not_killed", "")}


def _cell(document: Targets, figure: Figure, row: Row) -> dict[str, str]:
    told = row["figures"].get(figure["name"])
    if told is None:
        return {"median": "–", "spread": "", "ratio": "", "verdict": "", "tone": "open", "why": ""}
    found, verdict = told["spread"], reading(document, row, figure, told)
    return {
        "median": words.amount(found["median"], figure["unit"], found["bound"]),
        "spread": spread(figure, told),
        "ratio": ratio(told),
        "verdict": verdict,
        "tone": TONES[verdict],
        "why": told["why"],
    }


def _plots(document: Targets) -> Iterator[dict[str, Any]]:
    """Each trial of each target, over the rounds; of what was measured at least once."""
    rounds = list(range(1, document["rounds"] + 1))
    for figure in document["figures"]:
        traces = [_trace(row, figure["name"], number) for number, row in enumerate(document["rows"])]
        if figure["name"] in PLOTTED and any(trace["y"] for trace in traces):
            chart = {"id": f"round-{figure['name']}", "title": figure["label"], "unit": figure["unit"]}
            about = f"{figure['unit']}, by round; {figure['better']} is better"
            drawn = [trace for trace in traces if trace["y"]]
            yield {**chart, "about": about, "traces": drawn, "tickvals": rounds, "ticktext": rounds}


def _trace(row: Row, name: str, number: int) -> dict[str, Any]:
    told = [(trial["round"], trial["values"][name]) for trial in row["trials"] if name in trial["values"]]
    good = row["verdict"] == "converged"
    return {
        "name": row["name"],
        "x": [place for place, _ in told] if good else [],
        "y": [value["value"] for _, value in told] if good else [],
        "color": COLORS[number % len(COLORS)],
        "mode": "lines+markers",
        "dash": "dot",
        "symbols": [SYMBOLS[number // len(COLORS) % len(SYMBOLS)] for _ in told],
    }
