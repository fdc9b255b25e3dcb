"""The report of a soak: one self-contained page, a pure function of `soak.json`."""

from __future__ import annotations

from typing import Any, Final

from bench.answers.soak.judge import BLOCKS, SURE
from bench.answers.soak.table import headline, row
from bench.report.page import page
from bench.report.words import machine_line, settings_told, software_line
from metrics.records.answers.soak import Soak

COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
TONES: Final = {"settles": "ok", "compounds": "fault", "too short": "open"}


def render(document: Soak) -> str:
    """The page."""
    charts = _charts(document)
    return page(
        "answers/soak.html",
        charts_data={"charts": charts, "phases": [], "moments": [], "range": None},
        d=document,
        headline=headline(document),
        rows=[
            {"cells": row(each), "said": each["verdict"], "tone": TONES[each["verdict"]]} for each in document["series"]
        ],
        charts_shown=charts,
        blocks=BLOCKS,
        sure=f"{SURE:.0%}",
        machine_line=machine_line(document["machine"]),
        software_line=software_line(document["postgres"], document["versions"]),
        settings=settings_told(document["settings"]),
        footer=f"seed {document['seed']}",
    )


def _charts(document: Soak) -> list[dict[str, Any]]:
    """One for each group."""
    charts = []
    groups = dict.fromkeys(each["group"] for each in document["series"])
    for number, group in enumerate(groups):
        own = [each for each in document["series"] if each["group"] == group]
        traces = [
            {
                "name": each["name"],
                "x": [t for t, _ in each["points"]],
                "y": [value for _, value in each["points"]],
                "color": COLORS[place % len(COLORS)],
                "dash": ("", "dot", "dash")[place // len(COLORS) % 3],
            }
            for place, each in enumerate(own)
        ]
        unit = own[0]["unit"]
        about = f"{unit or 'share'}, by seconds from the start of the load"
        chart = {"id": f"soak-{number}", "title": group[0].upper() + group[1:], "about": about, "unit": unit}
        charts.append({**chart, "seconds": True, "traces": traces})
    return charts
