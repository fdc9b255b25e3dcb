"""A figure of a result by its path, such as `visibility_ms.p99`; None where its section measured nothing.

`result.json` has zeros where there was no sample. Whoever judges a figure asks here, so that none of them is taken for
a measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from metrics.records.result import Percentiles, Result

LOADED: Final = (
    "throughput",
    "latency_ms",
    "projection_lag",
    "event_id_lag",
    "backlog",
    "visibility_ms",
    "convergence",
    "generator",
)
"""The sections of which a run without a load phase has zeros alone."""
NOT_WATCHED: Final = "no write was watched"


@dataclass(frozen=True)
class Figure:
    """The number; or None, and why it is not told."""

    value: float | None
    why: str = ""


def figure(result: Result, path: str) -> Figure:
    """The number at the path. One of a section without samples is not told."""
    if (why := _unmeasured(result, path)) is not None:
        return Figure(None, why)
    document: Any = result.to_dict()
    told = ""
    for name in path.split("."):
        if not isinstance(document, Mapping):
            return Figure(None, told)
        told = str(document.get("why") or document.get("reason") or told)
        document = document.get(name)
    return Figure(float(document)) if isinstance(document, int | float) else Figure(None, told)


def _unmeasured(result: Result, path: str) -> str | None:
    """Why nothing was measured there; None where something was."""
    section, _, rest = path.partition(".")
    tasks = result.throughput
    if section in LOADED and not (tasks.actions or tasks.reads or tasks.rejected or tasks.errors):
        return result.why or "no request was made"
    look = LOOKS.get(section)
    return look(result, rest) if look else None


def _no_latency(result: Result, rest: str) -> str | None:
    kind = rest.partition(".")[0]
    return "no such request was answered" if getattr(result.latency_ms, kind) == Percentiles() else None


def _no_visibility(result: Result, rest: str) -> str | None:
    unseen = rest != "samples" and not result.visibility_ms.samples
    return "no write was seen to become visible" if unseen else None


def _no_staleness(result: Result, _: str) -> str | None:
    return None if result.staleness.writes else result.staleness.why or NOT_WATCHED


def _no_waterfall(result: Result, _: str) -> str | None:
    return None if result.waterfall_ms.samples else result.waterfall_ms.why or NOT_WATCHED


def _no_convergence(result: Result, name: str) -> str | None:
    if name == "time_s" and result.verdict != "converged":
        return f"the run is {result.verdict}: {result.why}"
    if name == "time_s" and not (result.throughput.actions or result.convergence.events):
        return "nobody wrote"
    return None


def _unproven(result: Result, name: str) -> str | None:
    """A count of faults among nothing is no proof."""
    checked = result.correctness
    if name.startswith("acknowledged"):
        return None if checked.acknowledged_checked else "no acknowledged write was checked"
    return None if checked.events_checked else "no event was checked"


LOOKS: Final[Mapping[str, Callable[[Result, str], str | None]]] = {
    "latency_ms": _no_latency,
    "visibility_ms": _no_visibility,
    "staleness": _no_staleness,
    "waterfall_ms": _no_waterfall,
    "convergence": _no_convergence,
    "correctness": _unproven,
}
"""By section: why the figure in it is not told, None where it is."""
