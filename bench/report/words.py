"""Numbers, durations and surroundings in the words of a report, a table and a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from metrics.records.fault import Injected
from metrics.records.result import Result
from metrics.records.sections.convergence import Convergence
from settings import strategies

WORDS: Final = {
    "converged": "Converged",
    "timed_out": "Timed out",
    "diverged": "Diverged",
    "blocked": "Blocked",
    "invalid": "Invalid",
}

SHORTEST_STALL_S: Final = 0.5


def measured(result: Result) -> str:
    """What ran on which target, and how it projects, where that is told."""
    strategy = strategies.told(result.strategy)
    what = f"{result.scenario} on {result.target['name']}"
    return f"{what}, {result.mode} projection by {strategy}" if strategy else what


def whole(value: float) -> str:
    """A count or a rate: grouped, one decimal below ten unless whole."""
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value != int(value) else f"{value:,.0f}"


def milliseconds(value: float) -> str:
    """Three figures or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def seconds(value: float) -> str:
    """A duration with its unit."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:,.1f} s"


def spoken(seconds: float) -> str:
    """A length of time for a reader: `45 s`, `12 min`, `1 h 30 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def after(fault: Injected) -> str:
    """What became of a fault: how the work of a projector went on, what stood still, and when all was right again."""
    told = (
        ("its work was taken over after", fault.takeover.takeover_s, ""),
        ("the projection stood still for", _stood(fault.projection_stall_s), ""),
        ("the API was silent for", _stood(fault.api_silence_s), ""),
        ("right again", fault.right_again_s, " after the heal"),
    )
    return "".join(f"; {what} {span_s:.1f} s{more}" for what, span_s, more in told if span_s is not None)


def _stood(span_s: float | None) -> float | None:
    """A span that is long enough to be told: a look or two in which nothing moved are none."""
    return span_s if span_s is not None and span_s >= SHORTEST_STALL_S else None


def took(convergence: Convergence) -> str:
    """How long it took to be right again; at most, where only the load generator saw the end."""
    return f"{'at most ' * (convergence.until == 'seen')}{seconds(convergence.time_s)}"


def worked_off(convergence: Convergence) -> str:
    """What was left to project after the last write, and how fast that was done."""
    if convergence.speed_events_per_s is None:
        return f"speed not told: {convergence.why}"
    held = f" after {convergence.held_s:.1f} s of standstill" if convergence.held_s else ""
    least = "at least " * (convergence.until == "seen")
    return f"{whole(convergence.events)} events, {least}{whole(convergence.speed_events_per_s)} events/s{held}"


def settings_told(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings by name, each as a user would write it; a dash where it is unset."""
    return [(name, "–" if value is None else setting_text(value)) for name, value in settings.items()]


def setting_text(value: Any) -> str:
    """A value as a user would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def machine_line(machine: Mapping[str, Any]) -> str:
    """The machine in one line."""
    if not machine:
        return "machine unknown"
    cores, installed = machine["cores"], machine.get("cores_installed", machine["cores"])
    usable = "?" if cores is None else f"{cores:g}"
    share = f"{usable} cores" if cores == installed else f"{usable} of {installed} cores"
    return f"{machine['cpu_model']} · {share} · {machine['ram_gib']:g} GiB · {machine['os']}"


def software_line(postgres: Mapping[str, Any], versions: Mapping[str, Any]) -> str:
    """Server, Python and revision in one line."""
    server = f"Postgres {postgres['version']} ({postgres['source']})" if postgres else "no Postgres told"
    return f"{server} · {versions.get('python', 'Python')} · revision {revision(versions)}"


def revision(versions: Mapping[str, Any]) -> str:
    """The revision that was measured, and whether it was changed."""
    found = versions.get("revision")
    return f"{found[:10]}{' with changes' if versions.get('dirty') else ''}" if found else "unknown"
