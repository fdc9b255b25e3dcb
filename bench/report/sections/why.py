"""Why the figures are what they are: CPU by part, waits, WAL and rows by event, and who else was on the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.report.words import whole
from metrics.records.result import Result
from metrics.records.sections.resources import Neighbours, Resources, Shard, Usage

UNTOLD: Final = "nothing was sampled beside this run"


def why(result: Result) -> dict[str, Any]:
    """Tables and sentences; `reason` says what is not told."""
    used = result.resources
    if used is None:
        return {"told": False, "reason": UNTOLD, "neighbours": neighbours(result.neighbours)}
    return {
        "told": bool(used.cpu_percent or used.waits),
        "reason": used.reason,
        "bounded_by": used.bounded_by,
        "parts": _parts(used.cpu_percent, used.cpu_us_per_action),
        "server": _parts(used.postgres_cpu_percent, {}),
        "waits": [{"name": each.event, "share": f"{each.share:.0%}", "width": 100 * each.share} for each in used.waits],
        "counts": _counts(used),
        "shards": _shards(used.shards),
        "neighbours": neighbours(result.neighbours),
    }


def neighbours(found: Neighbours | None) -> str:
    """What the run did not have of the machine, in one sentence."""
    if found is None or found.cpu_share is None:
        return f"Other processes: not told, {(found.reason if found else '') or UNTOLD}"
    names = ", ".join(f"{one.name} {one.share:.1%}" for one in found.top)
    steal = "its host does not tell" if found.steal_share is None else f"{found.steal_share:.1%}"
    others = "unknown" if found.processes_share is None else f"{found.processes_share:.1%}"
    return (
        f"Other processes took {others} of the usable cores{f' ({names})' if names else ''}, its host {steal} (steal)"
    )


def _parts(usage: Mapping[str, Usage], by_action: Mapping[str, float]) -> list[dict[str, Any]]:
    most = max((each.mean for each in usage.values()), default=0.0) or 1.0
    ranked = sorted(usage.items(), key=lambda item: -item[1].mean)
    return [
        {
            "name": name,
            "mean": f"{each.mean:.0f} %",
            "max": f"{each.max:.0f} %",
            "by_action": f"{whole(by_action[name])} µs" if name in by_action else "–",
            "width": round(100 * each.mean / most, 1),
        }
        for name, each in ranked
    ]


def _counts(used: Resources) -> list[tuple[str, str]]:
    """What was told, by name."""
    return [("machine busy", _told(_percent(used.busy_share), " %")), *_of_servers(used)]


def _shards(shards: Sequence[Shard]) -> dict[str, Any] | None:
    """A column for each shard, of what its server told by its own events; None where there is one."""
    if not shards:
        return None
    whole = sum(one.events or 0 for one in shards) if all(one.events is not None for one in shards) else 0
    columns = [[*_of_shard(one, whole), *_of_servers(one)] for one in shards]
    names = [name for name, _ in columns[0]]
    return {
        "head": [f"shard {number}" for number in range(len(shards))],
        "rows": [(name, [column[place][1] for column in columns]) for place, name in enumerate(names)],
    }


def _of_shard(shard: Shard, events: int) -> list[tuple[str, str]]:
    """Its share of all events, and what its server was seen busy with most."""
    share = shard.events / events if shard.events is not None and events else None
    most = [f"{each.event} {each.share:.0%}" for each in shard.waits]
    return [
        ("share of the events", _told(_percent(share), " %")),
        ("busy backends, most at", next(iter(most), "not told")),
    ]


def _of_servers(used: Resources | Shard) -> list[tuple[str, str]]:
    rows: tuple[tuple[str, float | None, str], ...] = (
        ("WAL by event", used.wal_bytes_per_event, " bytes"),
        ("commits by event", used.commits_per_event, ""),
        ("rows written by event", used.tuples_per_event, ""),
        ("blocks found in the cache", _percent(used.cache_hit_share), " %"),
        ("dead tuples, growth", used.dead_tuples_growth, ""),
        ("checkpoints", used.checkpoints, ""),
    )
    return [(name, _told(value, unit)) for name, value, unit in rows]


def _told(value: float | None, unit: str) -> str:
    """What was not told is "not told", never 0."""
    return "not told" if value is None else f"{_number(value)}{unit}"


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _number(value: float) -> str:
    return f"{value:.2f}" if 0 < abs(value) < 10 and value != int(value) else whole(value)
