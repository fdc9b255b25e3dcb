"""Charts of a fault: throughput and staleness before, during and after it, a curve for each strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, Final

from bench.report.charts.drawing import MARK
from bench.report.charts.timelines import line
from metrics.records.answers.drills import Curve

COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
SHOWN: Final = (
    ("actions_per_s", "Throughput", "acknowledged actions a second", "/s"),
    ("stale_ms", "Staleness", "p99 of write to visible, or the age of the oldest write that no read had shown", "ms"),
)
HEALED: Final = "the diamond is the first second after the heal"


def charts(id: str, fault: str, found: Mapping[str, Curve]) -> list[dict[str, Any]]:
    """One for each of the two that has any value; the clock begins at the strike. `found` by strategy."""
    if not found:
        return []
    time = _time(list(found.values()))
    made: list[dict[str, Any]] = []
    for key, title, what, unit in SHOWN:
        colored = zip(found.items(), cycle(COLORS), strict=False)
        traces = [_trace(name, curve, key, color) for (name, curve), color in colored]
        if any(value is not None for trace in traces for value in trace["y"]):
            chart = {"id": f"{id}-{key.partition('_')[0]}", "title": f"{title} around {fault}", "unit": unit}
            about = f"{what}; {HEALED}"
            made.append({**chart, "about": about, "timeline": True, "time": time, "traces": traces})
    return made


def is_whole(curve: Curve) -> bool:
    """Whether each second has a value of each kind, known or not."""
    lengths = {
        len(values) for values in (curve["t_s"], curve["actions_per_s"], curve["reads_per_s"], curve["stale_ms"])
    }
    return len(lengths) == 1 and lengths != {0}


def _trace(name: str, curve: Curve, key: str, color: str) -> dict[str, Any]:
    """A curve, with a mark at its first second after the heal that has a value."""
    values: Sequence[float | None] = curve[key]  # type: ignore[literal-required]
    drawn, healed_s = line(values), curve["healed_s"]
    sizes, symbols = list(drawn.get("sizes") or [0] * len(values)), ["circle"] * len(values)
    after = [place for place, at in enumerate(curve["t_s"]) if healed_s is not None and at >= healed_s]
    if (mark := next((place for place in after if values[place] is not None), None)) is not None:
        sizes[mark], symbols[mark] = MARK, "diamond"
    marks = {"mode": "lines+markers", "sizes": sizes, "symbols": symbols} if any(sizes) else {}
    return {"name": name, "x": curve["t_s"], "color": color, **drawn, **marks}


def _time(found: Sequence[Curve]) -> dict[str, Any]:
    """The strike at 0, and the spans around it: with several curves, during lasts until the last heal."""
    low = min(-0.5, *(at for curve in found for at in curve["t_s"]))
    high = max(0.5, *(at for curve in found for at in curve["t_s"]))
    healed = [curve["healed_s"] for curve in found if curve["healed_s"] is not None]
    until = min(max(healed, default=high), high)
    phases = [("before", low, 0.0), ("during", 0.0, until), ("after", until, high)]
    moments = [{"name": "struck", "at": 0.0}]
    if len(found) == 1 and healed:
        moments.append({"name": "healed", "at": until})
    return {
        "phases": [{"name": name, "from": begin, "to": end} for name, begin, end in phases if end > begin],
        "moments": moments,
        "range": [low, high],
    }
