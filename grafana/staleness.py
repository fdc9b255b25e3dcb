"""Rows about the staleness of reads, and where an event's time went, of the newest of the chosen runs."""

from __future__ import annotations

from grafana.panels import PLAIN, Panel, bars
from grafana.queries import latest
from grafana.runs import result
from metrics.catalogue import POINTS_MS, RESULT, STAGES, shown_after

_NEWEST = "The newest of the chosen runs"


def staleness() -> list[tuple[int, Panel]]:
    """The curve, what a reader meets, and the stages of an event."""
    return [
        (8, _curve()),
        (2, result("Own writes seen", "read_your_writes", limits=PLAIN)),
        (2, result("Reads that went back", "monotonic_violations")),
        (2, result("Waiting: more, median", "waiting_extra_p50_ms", limits=PLAIN)),
        (2, result("Waiting: more, 99 %", "waiting_extra_p99_ms", limits=PLAIN)),
        (4, _stages("median", "p50")),
        (4, _stages("99 %", "p99")),
    ]


def _curve() -> Panel:
    first, *rest = (shown_after(ms) for ms in POINTS_MS)
    return bars(
        "Chance that a read shows a write, by the time since its acknowledgement",
        latest(RESULT, first, *rest),
        unit="percentunit",
        description=f"{_NEWEST}: t-visibility of the probe's writes in the load phase, by when the read was sent.",
    )


def _stages(title: str, rank: str) -> Panel:
    first, *rest = (f"{stage}_{rank}_ms" for stage in STAGES)
    return bars(
        f"Stages of an event, {title}",
        latest(RESULT, first, *rest),
        unit="ms",
        description=f"{_NEWEST}: from the acknowledgement of a write to the first read that shows it. Stages of one "
        "write add up to that; their percentiles do not.",
    )
