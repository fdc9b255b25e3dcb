"""Section `resources` of a result: the sampled seconds of the load phase in one, and what bounded the run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bench.trial.resources.server import RUNNING
from metrics.records.sections.resources import Counted, Resources, Second, Shard, Usage, Wait

BUSY: Final = 0.9
"""Share of all cores, or of one core for a single process, from which on it is what bounds a run."""
MOSTLY: Final = 0.5
"""Share of busy backends at one wait event from which on it is told as what they waited for."""
FEW: Final = 20
"""Busy backends that must have been seen for that."""
WAITS: Final = 5
SMALLEST: Final = 0.005
"""Share of all cores below which a part is not named."""
PARTS: Final = {"postgres": "Postgres", "api": "API", "projector": "projector", "generator": "generator"}
"""What a run of our own system has at least, and how people call it."""
BESIDE: Final = ("generator", "bench")
"""Parts that are not of the system under test."""

Rows = Sequence[Second] | Sequence[Counted]
"""Seconds of all servers, or of one shard's."""


def fold(
    seconds: Sequence[Second],
    actions_per_s: float,
    *,
    cores: int,
    single: Collection[str],
    parts: Collection[str] = tuple(PARTS),
) -> Resources:
    """The section, of seconds that lie within the load phase; `parts` are those that the system has. Pure.

    Where no table of ours tells of events, each action counts as one, as the contract says.
    """
    if not seconds:
        return Resources(reason="no second of the load phase was sampled")
    length = sum(each.seconds for each in seconds)
    usage = _usage(seconds, [each.cpu_percent for each in seconds])
    told, wal_bytes = _total(seconds, "events"), _total(seconds, "wal_bytes")
    events = told if told is not None else round(actions_per_s * length)
    actions, lacking = actions_per_s * length, _lacking(usage, parts)
    shards = [list(own) for own in zip(*(each.shards for each in seconds), strict=True)]
    found = Resources(
        seconds=round(length, 3),
        cores=cores,
        busy_share=_mean(seconds, "busy_share"),
        neighbours_share=_mean(seconds, "neighbours_share"),
        cpu_percent=usage,
        postgres_cpu_percent=_usage(seconds, [each.postgres_cpu_percent for each in seconds]),
        cpu_us_per_action={part: round(each.mean * 1e4 / actions_per_s, 1) for part, each in usage.items()}
        if actions_per_s > 0
        else {},
        reason=lacking,
        system_cpu_us_per_action=None if lacking or actions <= 0 else _system(usage, actions_per_s),
        wal_bytes_per_action=_each(wal_bytes, actions),
        shards=[Shard(events=_total(own, "events"), **_servers(own, _total(own, "events"))) for own in shards],
        **_servers(seconds, events),
    )
    busy = {"Postgres": _busy(seconds), **{f"Postgres of shard {n}": _busy(own) for n, own in enumerate(shards)}}
    return replace(found, bounded_by=bounded_by(found, busy, single))


def within(seconds: Iterable[Second], phases: Iterable[Mapping[str, Any]], name: str = "load") -> list[Second]:
    """The seconds that lie wholly within a phase, by this machine's clock."""
    spans = [(phase["started_at"], phase["ended_at"]) for phase in phases if phase["name"] == name]
    return [
        each
        for each in seconds
        if any(start <= each.t - each.seconds and (end is None or each.t <= end) for start, end in spans)
    ]


def bounded_by(used: Resources, busy: Mapping[str, Counter[str]], single: Collection[str]) -> str:
    """What bounded the run, only where the figures say so; parts of `single` can not use more than one core. Pure.

    `busy` has the busy backends by what they waited for: of all servers, then of each shard.
    """
    if used.busy_share is not None and used.busy_share >= BUSY:
        return f"the {used.cores} cores were {used.busy_share:.0%} busy: {shares(used)}"
    for part in single:
        if part in used.cpu_percent and used.cpu_percent[part].mean >= BUSY * 100:
            return f"{part}, one process that uses one core, was busy for {used.cpu_percent[part].mean:.0f} % of it"
    for name, waits in busy.items():
        for event, count in waits.most_common(1):
            if waits.total() >= FEW and count >= MOSTLY * waits.total() and event != RUNNING:
                return f"{name}: {count / waits.total():.0%} of its busy backends waited for {event}"
    return ""


def shares(used: Resources) -> str:
    """The parts by the share of all cores that each took, the largest first."""
    whole = 100 * (used.cores or 1)
    parts = {kind: percent / whole for kind, percent in _kinds(used.cpu_percent).items()}
    parts["other processes"] = used.neighbours_share or 0.0
    ranked = sorted(parts.items(), key=lambda item: -item[1])
    return ", ".join(f"{part} {share:.0%}" for part, share in ranked if share >= SMALLEST)


def _kinds(usage: Mapping[str, Usage]) -> dict[str, float]:
    """Mean percent of one core by kind of part, the projectors in one, and the servers of all shards."""
    found: defaultdict[str, float] = defaultdict(float)
    for part, each in usage.items():
        found[PARTS.get(kind(part), part)] += each.mean
    return dict(found)


def kind(part: str) -> str:
    """What a part is, of which there may be several: `projector-1`, `postgres-1`."""
    return next((known for known in PARTS if part.startswith(known)), part)


def _system(usage: Mapping[str, Usage], actions_per_s: float) -> float:
    """Microseconds of CPU that all parts of the system took, by acknowledged action."""
    return round(sum(each.mean for part, each in usage.items() if part not in BESIDE) * 1e4 / actions_per_s, 1)


def _lacking(usage: Mapping[str, Usage], parts: Collection[str]) -> str:
    lacking = [PARTS[part] for part in PARTS if part in parts and not any(known.startswith(part) for known in usage)]
    return f"CPU of {', '.join(lacking)}: no process that is known to be theirs runs here" if lacking else ""


def _servers(rows: Rows, events: int | None) -> dict[str, Any]:
    """What servers told, by event; what was not told for each second is None."""
    waits, (hit, read) = _busy(rows), (_total(rows, "blocks_hit"), _total(rows, "blocks_read"))
    return {
        "waits": [Wait(event, round(count / waits.total(), 4)) for event, count in waits.most_common(WAITS)],
        "wal_bytes_per_event": _each(_total(rows, "wal_bytes"), events),
        "commits_per_event": _each(_total(rows, "commits"), events),
        "tuples_per_event": _each(_total(rows, "tuples"), events),
        "cache_hit_share": _each(hit, (hit or 0) + (read or 0)),
        "dead_tuples_growth": _growth(rows),
        "checkpoints": _total(rows, "checkpoints"),
    }


def _busy(rows: Rows) -> Counter[str]:
    """Busy backends by what they waited for."""
    return sum((Counter(each.waits) for each in rows), Counter())


def _usage(seconds: Sequence[Second], each: Sequence[Mapping[str, float]]) -> dict[str, Usage]:
    """By part, of those seconds in which it was there."""
    length = sum(second.seconds for second in seconds)
    found = {}
    for part in sorted({part for known in each for part in known}):
        spent = sum(known.get(part, 0.0) * second.seconds for known, second in zip(each, seconds, strict=True))
        found[part] = Usage(round(spent / length, 1), max(known.get(part, 0.0) for known in each))
    return {part: usage for part, usage in found.items() if usage.max > 0}


def _mean(seconds: Sequence[Second], name: str) -> float | None:
    told = [getattr(each, name) for each in seconds if getattr(each, name) is not None]
    return round(sum(told) / len(told), 4) if told else None


def _total(rows: Rows, name: str) -> int | None:
    """None unless it was told for each second: a part of it would be none of the whole."""
    told = [getattr(each, name) for each in rows]
    return None if None in told else sum(told)


def _each(total: float | None, by: float | None) -> float | None:
    return round(total / by, 4) if total is not None and by else None


def _growth(rows: Rows) -> int | None:
    first, last = rows[0].dead_tuples, rows[-1].dead_tuples
    return sum(last.values()) - sum(first.values()) if first and last else None
