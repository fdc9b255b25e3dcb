"""Percentile curves and table from the HDR histograms of a bundle: no percentile beyond what the samples carry."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import Any, Final

from bench.bundle.histograms import Histogram
from bench.report.words import milliseconds, whole

ROWS: Final = (
    ("actions", "actions", "start to acknowledgement", "c0"),
    ("reads", "reads", "start to answer", "c2"),
    ("visibility", "write to visible", "acknowledgement of a sampled write to the first read that shows it", "c1"),
    ("projected", "insert to projected", "insert of an event to its effect, by the database's clock", "c3"),
)
PERCENTS: Final = ("50", "90", "99", "99.9", "99.99")
STEPS: Final = 12
"""Places of a curve between one nine and the next."""
NINES: Final = 4
FEW: Final = 10
"""A percentile with fewer samples beyond it hangs on single requests."""


def rows(histograms: Mapping[str, Histogram]) -> list[dict[str, Any]]:
    """A row for each histogram: how many samples, each percentile, and the maximum."""
    return [_row(name, about, histograms[key]) for key, name, about, _ in ROWS if key in histograms]


def left_out(histograms: Mapping[str, Histogram]) -> str:
    """What has no curve, and why; empty where all have one."""
    absent = [name for key, name, _, _ in ROWS if not _count(histograms.get(key))]
    return f"Not drawn, for this bundle has no samples of them: {', '.join(absent)}." if absent else ""


def curves(histograms: Mapping[str, Histogram]) -> dict[str, Any] | None:
    """The chart: milliseconds by percentile, where each further nine has the same room; None without a sample."""
    known = [each for each in ROWS if _count(histograms.get(each[0]))]
    if not known:
        return None
    places = [step / STEPS for step in range(round(STEPS * _nines(50)), NINES * STEPS + 1)]
    quantiles = [1 - 10**-place for place in places]
    traces = []
    for key, name, _, color in known:
        found = histograms[key]
        known_at = [each for each in quantiles if found.beyond(each) >= 1]
        y = [*found.at_each(known_at), *[None] * (len(quantiles) - len(known_at))]
        traces.append({"name": name, "x": places, "y": y, "color": color})
    ticks = [_nines(float(each)) for each in PERCENTS]
    chart = {"id": "plot-percentiles", "title": "Latency by percentile", "unit": "ms", "xname": "percentile"}
    about = "milliseconds, logarithmic; each further nine has the same room; a curve ends where its samples do"
    texts = [f"p{100 * each:.5g}" for each in quantiles]
    axis = {"tickvals": ticks, "ticktext": [f"p{each}" for each in PERCENTS], "ytype": "log", "xtext": texts}
    return {**chart, "about": about, "traces": traces, **axis}


def _row(name: str, about: str, found: Histogram) -> dict[str, Any]:
    values = []
    for percent in PERCENTS:
        beyond = found.beyond(float(percent) / 100)
        told = milliseconds(found.at(float(percent) / 100)) if beyond >= 1 else "–"
        values.append({"told": told, "few": 1 <= beyond < FEW})
    return {
        "name": name,
        "meaning": about,
        "samples": whole(found.count),
        "values": values,
        "max": milliseconds(found.max) if found.count else "–",
    }


def _count(found: Histogram | None) -> int:
    return found.count if found else 0


def _nines(percent: float) -> float:
    """0.3 for 50, 1 for 90, 2 for 99."""
    return -log10(1 - percent / 100)
