"""The kinds of panels, with what they have in common: unit, description, thresholds, and a dash for a missing value."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any, Final

from grafana.queries import SOURCE
from metrics.catalogue import Metric

Panel = dict[str, Any]
Steps = Sequence[tuple[float | None, str]]

GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "text"
PLAIN: Final[Steps] = ((None, BLUE),)
NONE_ALLOWED: Final[Steps] = ((None, GREEN), (1, RED))
UNITS: Final = {
    "ms": "ms",
    "s": "s",
    "%": "percent",
    "1": "short",
    "1/s": "reqps",
    "": "string",
}
VERDICTS: Final = {
    "converged": ("Converged", GREEN),
    "timed_out": ("Timed out", ORANGE),
    "blocked": ("Blocked", ORANGE),
    "diverged": ("Diverged", RED),
    "invalid": ("Invalid", RED),
}


def unit(metric: Metric) -> str:
    """Grafana's name for the unit of a metric."""
    return UNITS.get(metric.unit, f"suffix: {metric.unit}")


def timeseries(
    title: str, targets: Sequence[dict[str, Any]], *, unit: str, description: str, limits: Steps = (), **custom: Any
) -> Panel:
    """Lines over time. `limits` are drawn as dashed lines."""
    style = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 8,
        "showPoints": "auto",
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
        **custom,
    }
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["mean", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel(
        "timeseries", title, targets, unit, description, limits or PLAIN, options, {"custom": style, "min": 0}
    )


def stat(title: str, query: dict[str, Any], field: str, *, unit: str, description: str, limits: Steps = PLAIN) -> Panel:
    """One value of a table's row, on the color of its threshold."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": f"/^{field}$/", "values": False},
        "colorMode": "background" if limits is not PLAIN else "value",
        "graphMode": "none",
        "textMode": "value",
        "justifyMode": "auto",
        "orientation": "auto",
    }
    return _panel("stat", title, [query], unit, description, limits, options, {})


def verdict(title: str, query: dict[str, Any], *, description: str) -> Panel:
    """A stat whose words are colored by what they mean."""
    panel = stat(title, query, "verdict", unit="string", description=description, limits=((None, GREY),))
    panel["fieldConfig"]["defaults"]["mappings"] = [verdict_words()]
    return panel


def verdict_words() -> dict[str, Any]:
    """The mapping from a verdict to its words and color."""
    words = enumerate(VERDICTS.items())
    return {
        "type": "value",
        "options": {value: {"text": text, "color": color, "index": index} for index, (value, (text, color)) in words},
    }


def bars(title: str, query: dict[str, Any], *, unit: str, description: str, limits: Steps = PLAIN) -> Panel:
    """A bar for each series."""
    options = {
        "displayMode": "basic",
        "valueMode": "color",
        "orientation": "horizontal",
        "showUnfilled": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return _panel("bargauge", title, [query], unit, description, limits, options, {"min": 0})


def gauge(title: str, query: dict[str, Any], *, unit: str, description: str, limits: Steps, top: float) -> Panel:
    """A share of a whole."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "orientation": "auto",
    }
    return _panel("gauge", title, [query], unit, description, limits, options, {"min": 0, "max": top})


def table(
    title: str,
    query: dict[str, Any],
    *,
    description: str,
    columns: dict[str, dict[str, Any]],
    hide: Sequence[str] = ("Time",),
    sort: str | None = None,
) -> Panel:
    """A row for each series. `columns` are the defaults of a field by the name of its column."""
    options: dict[str, Any] = {"showHeader": True, "cellHeight": "sm"}
    if sort:
        options["sortBy"] = [{"displayName": sort, "desc": True}]
    panel = _panel("table", title, [query], "short", description, PLAIN, options, {})
    panel["fieldConfig"]["overrides"] = [_override(name, **values) for name, values in columns.items()]
    hidden = {"excludeByName": dict.fromkeys(hide, True), "indexByName": {}, "renameByName": {}}
    panel["transformations"] = [{"id": "organize", "options": hidden}]
    return panel


def overlay(title: str, query: dict[str, Any], field: str, *, unit: str, description: str, label: str) -> Panel:
    """Runs laid over one another: the query's rows have `run`, `elapsed_s` and the field."""
    axes = [("x", "elapsed_s"), ("y", field)]
    options = {
        "mapping": "auto",
        "series": [{axis: {"matcher": {"id": "byName", "options": name}} for axis, name in axes}],
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    style = {"show": "lines", "lineWidth": 2, "axisLabel": label}
    panel = _panel("xychart", title, [query], unit, description, PLAIN, options, {"custom": style})
    panel["fieldConfig"]["overrides"] = [_override("elapsed_s", unit="s", custom__axisLabel="since the run began")]
    split = {"fields": ["run"], "keepFields": False, "naming": {"asLabels": True}}
    panel["transformations"] = [{"id": "partitionByValues", "options": split}]
    return panel


def heatmap(title: str, query: dict[str, Any], *, unit: str, description: str) -> Panel:
    """Counts by bucket over time: a series for each bucket, named by its upper bound."""
    options = {
        "calculate": False,
        "color": {"mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64},
        "cellGap": 1,
        "cellValues": {"unit": "short"},
        "filterValues": {"le": 1e-9},
        "rowsFrame": {"layout": "le"},
        "yAxis": {"unit": unit, "axisPlacement": "left"},
        "legend": {"show": True},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
    }
    return _panel("heatmap", title, [query], "short", description, PLAIN, options, {})


def on_right(panel: Panel, series: str, *, unit: str, label: str) -> Panel:
    """Put the series whose names match on an axis of their own."""
    override = _override(series, unit=unit, custom__axisPlacement="right", custom__axisLabel=label)
    panel["fieldConfig"]["overrides"] = [{**override, "matcher": {"id": "byRegexp", "options": f"/{series}/"}}]
    return panel


def _override(name: str, **values: Any) -> dict[str, Any]:
    properties = [{"id": key.replace("__", "."), "value": value} for key, value in values.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _panel(
    kind: str,
    title: str,
    targets: Sequence[dict[str, Any]],
    unit: str,
    description: str,
    limits: Steps,
    options: dict[str, Any],
    defaults: dict[str, Any],
) -> Panel:
    steps = [{"value": value, "color": color} for value, color in limits]
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": [{"refId": ref, **query} for ref, query in zip(ascii_uppercase, targets, strict=False)],
        "options": options,
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "noValue": "–",
                "color": {"mode": "palette-classic" if kind in ("timeseries", "xychart") else "thresholds"},
                "thresholds": {"mode": "absolute", "steps": steps},
                **defaults,
            },
            "overrides": [],
        },
    }
