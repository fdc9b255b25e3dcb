"""Staleness of the report: sentences, what is not told and why, and the t-visibility curve between its bounds."""

from __future__ import annotations

from typing import Any, Final

from bench.report.staleness import sentences
from metrics.records.sections.staleness import Staleness

ID: Final = "plot-staleness"
LONGEST: Final = 1.25
"""The curve is drawn up to the wait that suffices for 99 of 100, and a quarter more."""


def told(found: Staleness) -> list[str]:
    """What a user meets, a sentence each."""
    return [f"{each[:1].upper()}{each[1:]}." for each in sentences(found)]


def untold(found: Staleness) -> list[str]:
    """What the section does not tell, with its reason."""
    if found.why:
        return [found.why]
    missing = {
        "the share of own writes that the next read shows": found.read_your_writes is None,
        "reads that go back in time": found.monotonic_violations is None,
    }
    said = [f"{name}: it was not measured in this run" for name, absent in missing.items() if absent]
    return [*said, *([f"the price of waiting: {found.waiting.why}"] if found.waiting.why else [])]


def curve(found: Staleness) -> dict[str, Any] | None:
    """The chart: the share of writes that a read sent t ms after the acknowledgement shows; None where nobody told."""
    if found.why or len(found.curve) < 2:
        return None
    upto = (found.visible_within_ms.p99 or found.curve[-1][0]) * LONGEST
    points = [point for point in found.curve if point[0] <= upto] or found.curve
    bounds = {ms: (least, most) for ms, least, most in found.curve_bounds}
    chart: dict[str, Any] = {"id": ID, "title": "Chance that a read shows the write", "unit": "%", "yrange": [0, 100]}
    x = [ms for ms, _ in points]
    traces = [_trace("writes seen", x, [share for _, share in points], "c1") | {"fill": "tozeroy"}]
    if all(ms in bounds for ms in x):
        for name, place in (("at least", 0), ("at most", 1)):
            traces.append(_trace(name, x, [bounds[ms][place] for ms in x], "c5") | {"dash": "dot"})
    about = "percent of sampled writes, by milliseconds from the acknowledgement to the read"
    axis = {"xname": "after the acknowledgement", "xtext": [f"{ms:g} ms" for ms in x], "xunit": " ms"}
    return {**chart, "about": about, "traces": traces, **axis}


def _trace(name: str, x: list[float], shares: list[float], color: str) -> dict[str, Any]:
    return {"name": name, "x": x, "y": [100 * share for share in shares], "color": color}
