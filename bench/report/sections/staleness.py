"""Staleness as users feel it: the t-visibility curve, own writes, reads that go back in time, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.report.words import milliseconds, whole

UNTOLD: Final = "this run followed no write to the reads that show it"
ID: Final = "plot-staleness"


def sentences(section: Mapping[str, Any] | None) -> list[str]:
    """What a user meets, a sentence each; what nobody told is left to `untold`."""
    found = section or {}
    said = []
    within = found.get("visible_within_ms") or {}
    for percentile, share in (("p50", "half of the cases"), ("p95", "95 of 100"), ("p99", "99 of 100")):
        if within.get(percentile) is not None:
            said.append(f"A page that waits {milliseconds(within[percentile])} ms sees its own write in {share}.")
    if (own := found.get("read_your_writes")) is not None:
        said.append(f"A read sent at once after the acknowledgement showed its own write in {own:.1%} of cases.")
    if (back := found.get("monotonic_violations")) is not None:
        times = "No read" if not back else "One read" if back == 1 else f"{whole(back)} reads"
        said.append(f"{times} showed an older version than an earlier read of the same todo.")
    return said


def untold(section: Mapping[str, Any] | None) -> list[str]:
    """What the section does not tell, with its reason."""
    if not section:
        return [UNTOLD]
    reason = section.get("reason") or section.get("why") or "no reason was given"
    names = {
        "curve": "the curve",
        "read_your_writes": "the share of own writes that the next read shows",
        "monotonic_violations": "reads that go back in time",
    }
    missing = [text for name, text in names.items() if section.get(name) is None or section.get(name) == []]
    return [f"{', '.join(missing)}: {reason}"] if missing else []


def curve(section: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The chart: the share of writes that a read t ms after the acknowledgement shows; None where nobody told it."""
    points = (section or {}).get("curve") or []
    if len(points) < 2:
        return None
    x, y = [ms for ms, _ in points], [None if share is None else 100 * share for _, share in points]
    trace = {"name": "writes seen", "x": x, "y": y, "color": "c1", "fill": "tozeroy"}
    chart = {"id": ID, "title": "Chance that a read shows the write", "unit": "%", "yrange": [0, 100]}
    about = "percent of sampled writes, by milliseconds from the acknowledgement to the read"
    texts = [f"{ms:g} ms" for ms in x]
    return {**chart, "about": about, "traces": [trace], "xname": "after the acknowledgement", "xtext": texts}
