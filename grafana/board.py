"""A dashboard from rows of panels: positions, ids, variables, annotations, and links to its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from grafana.panels import Panel
from grafana.queries import CHOSEN, SOURCE
from metrics.catalogue import PHASE

WIDTH: Final = 24
ALL: Final = {"selected": True, "text": ["All"], "value": ["$__all"]}
_CHOICES: Final = {
    "scenario": ("", "What the users do."),
    "target": ('"scenario" =~ /^$scenario$/', "What is measured, by its name in `targets/`."),
    "strategy": (
        '"scenario" =~ /^$scenario$/ AND "target" =~ /^$target$/',
        "How the projectors order events and keep apart: global-order, stream-leases or stream-locks.",
    ),
    "run": (
        '"scenario" =~ /^$scenario$/ AND "target" =~ /^$target$/ AND "strategy" =~ /^$strategy$/',
        "Runs, newest first.",
    ),
}
_NEWEST_FIRST: Final = 2
_EVERY_REFRESH: Final = 2

Row = tuple[str, int, Sequence[tuple[int, Panel]]]
"""A title, the height of its panels, and the panels with their widths; a line is full at 24."""


def board(uid: str, title: str, *, description: str, rows: Sequence[Row], others: Sequence[str]) -> dict[str, Any]:
    """The dashboard. `others` are the tags of dashboards to link to, with the time range and the variables."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["tidemark", uid],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": 41,
        "version": 1,
        "refresh": "5s",
        "time": {"from": "now-30m", "to": "now"},
        "timepicker": {"refresh_intervals": ["1s", "5s", "10s", "30s", "1m"]},
        "templating": {"list": [_variable(name, *choice) for name, choice in _CHOICES.items()]},
        "annotations": {"list": [_phases()]},
        "links": [_link(tag) for tag in others],
        "panels": _place(rows),
    }


def _place(rows: Sequence[Row]) -> list[Panel]:
    placed: list[Panel] = []
    y = 0
    for title, height, panels in rows:
        placed.append(
            _at({"type": "row", "title": title, "collapsed": False, "panels": []}, len(placed), 0, y, WIDTH, 1)
        )
        y += 1
        x = 0
        for width, panel in panels:
            if x + width > WIDTH:
                x, y = 0, y + height
            placed.append(_at(panel, len(placed), x, y, width, height))
            x += width
        y += height
    return placed


def _at(panel: Panel, index: int, x: int, y: int, width: int, height: int) -> Panel:
    return {"id": index + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **panel}


def _variable(name: str, where: str, description: str) -> dict[str, Any]:
    condition = f" WHERE {where}" if where else ""
    query = f'SHOW TAG VALUES FROM "run_info" WITH KEY = "{name}"{condition}'
    return {
        "type": "query",
        "name": name,
        "label": name.capitalize(),
        "description": description,
        "datasource": SOURCE,
        "query": query,
        "definition": query,
        "refresh": _EVERY_REFRESH,
        "sort": _NEWEST_FIRST,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": ALL,
        "options": [],
        "hide": 0,
    }


def _phases() -> dict[str, Any]:
    query = f'SELECT "text", "ended_at_ms", "phase", "run" FROM "{PHASE.name}" WHERE {CHOSEN}'
    target = {
        "refId": "Phases",
        "query": query,
        "rawQuery": True,
        "queryType": "tags",
        "fromAnnotations": True,
        "textColumn": "text",
        "timeEndColumn": "ended_at_ms",
        "tagsColumn": "phase,run",
    }
    return {
        "name": "Phases",
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "rgba(120, 160, 255, 0.5)",
        "target": target,
    }


def _link(tag: str) -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": tag.capitalize(),
        "tags": [tag],
        "asDropdown": False,
        "keepTime": True,
        "includeVars": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
