"""A page: one HTML file with its styles, its charts as SVG and the script that reads them out; it asks no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.report import words
from bench.report.charts import table
from bench.report.charts.drawing import axes, draw

TEMPLATES: Final = Path(__file__).parent / "templates"
EMPTY: Final[Mapping[str, Any]] = {"charts": [], "phases": [], "moments": [], "range": None}


def page(template: str, *, charts_data: Mapping[str, Any] | None = None, **context: Any) -> str:
    """Fill a template. `charts_data` has the `charts`, and the `phases`, `moments` and `range` that timelines share.

    A chart that has `time` has these three of its own there.
    A template shows a chart by `figure(drawn[id])`. `contents` are ids and titles of the page's sections.
    """
    data = charts_data or EMPTY
    drawn = {chart["id"]: draw(chart, _time(chart, data)) for chart in data["charts"]}
    read_out = {**data, "charts": [{**chart, "axes": _axes(chart, data)} for chart in data["charts"]]}
    context = {"contents": [], **context, "drawn": drawn, "charts": embed(read_out) if drawn else None}
    return _templates().get_template(template).render(**context)


def source(template: str) -> str:
    """A template without a context, as a page includes it."""
    return _templates().get_template(template).render()


def embed(document: Any) -> Markup:
    """JSON that is safe inside a script element."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _axes(chart: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, list[Any]]:
    x, y = axes(chart, _time(chart, data))
    return {"x": [x.low, x.high, x.log], "y": [y.low, y.high, y.log]}


def _time(chart: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The phases, moments and range that a chart is drawn with: its own, or those that all share."""
    own: Mapping[str, Any] = chart.get("time", data)
    return own


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(whole=words.whole, ms=words.milliseconds, told=table.told)
    return environment
