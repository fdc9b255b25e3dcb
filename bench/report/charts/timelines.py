"""Curves over time: one chart for each group of metrics of a sample, with the phases of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Sample = Mapping[str, Any]
Curve = tuple[str, str, str]
"""Field of the sample, label, color."""

TIMELINES: tuple[tuple[str, str, str, str, tuple[Curve, ...]], ...] = (
    (
        "throughput",
        "Throughput",
        "acknowledged actions and answered reads a second",
        "/s",
        (("actions_per_s", "actions", "c0"), ("reads_per_s", "reads", "c2")),
    ),
    (
        "backlog",
        "Backlog",
        "events in the store that are not yet projected",
        "events",
        (("backlog", "backlog", "c1"),),
    ),
    (
        "lag",
        "Lag",
        "projection lag against the expected count, and event id lag",
        "",
        (("projection_lag", "projection lag", "c3"), ("event_id_lag", "event id lag", "c5")),
    ),
    (
        "age",
        "How old the oldest is",
        "milliseconds: the oldest event not projected, and the oldest sampled write that no read has shown",
        "ms",
        (("oldest_unprojected_age_ms", "unprojected", "c4"), ("unseen_age_ms", "unseen", "c1")),
    ),
    (
        "latency",
        "Latency of actions",
        "milliseconds, percentiles of each second",
        "ms",
        (("action_p50_ms", "p50", "c2"), ("action_p95_ms", "p95", "c0"), ("action_p99_ms", "p99", "c1")),
    ),
    (
        "visibility",
        "Write to visible, and reads",
        "milliseconds, percentiles of each second",
        "ms",
        (
            ("visibility_p50_ms", "visible p50", "c3"),
            ("visibility_p99_ms", "visible p99", "c4"),
            ("read_p99_ms", "read p99", "c5"),
        ),
    ),
)


ALONE_SIZE = 9


def timelines(samples: Sequence[Sample], start: float) -> list[dict[str, Any]]:
    """One chart for each group of metrics that has any value."""
    x = [round(sample["t"] - start, 2) for sample in samples]
    charts = []
    for name, title, about, unit, curves in TIMELINES:
        traces = [
            {"name": label, "x": x, "color": color, **line([sample.get(key) for sample in samples])}
            for key, label, color in curves
            if _known(samples, key)
        ]
        if len(traces) == 1:
            traces[0]["fill"] = "tozeroy"
        if traces:
            chart = {"id": f"plot-{name}", "title": title, "about": about, "unit": unit}
            charts.append({**chart, "timeline": True, "traces": traces})
    return charts


def line(y: Sequence[float | None]) -> dict[str, Any]:
    """The values of a curve. One that has no neighbour makes no line, so it is drawn as a point."""
    around = [None, *y, None]
    alone = [value is not None and around[place] is None and around[place + 2] is None for place, value in enumerate(y)]
    points = {"mode": "lines+markers", "sizes": [ALONE_SIZE if each else 0 for each in alone]} if any(alone) else {}
    return {"y": list(y), **points}


def left_out(samples: Sequence[Sample]) -> str:
    """What is not drawn, and why; empty when everything is."""
    if not samples:
        return "Nothing is drawn over time: the run ended within a second, before its first sample."
    missing = [
        title if not any(_known(samples, key) for key, _, _ in curves) else f"{label} (in {title})"
        for _, title, _, _, curves in TIMELINES
        for key, label, _ in curves
        if not _known(samples, key)
    ]
    said = f"Not drawn, for no second of this run has a value: {', '.join(dict.fromkeys(missing))}. " if missing else ""
    points = "Each curve is one point: the run has one sample, taken after a second." if len(samples) == 1 else ""
    return (said + points).strip()


def _known(samples: Sequence[Sample], key: str) -> bool:
    return any(sample.get(key) is not None for sample in samples)


def phases(loadgen: Mapping[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """The phases in seconds from the start."""
    return [
        {
            "name": phase["name"],
            "from": round(phase["started_at"] - start, 2),
            "to": round((phase["ended_at"] or end) - start, 2),
        }
        for phase in loadgen.get("phases", [])
    ]
