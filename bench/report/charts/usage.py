"""Curves of what the machine and the server did beside the run, over the same time and phases as the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bench.report.charts.timelines import line

COLORS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
Second = Mapping[str, Any]
"""A line of `resources.jsonl`."""


def usage(sampled: Sequence[Second], start: float, end: float) -> list[dict[str, Any]]:
    """One chart for CPU, waits, WAL and dead tuples each; those that were never told are left out.

    What was sampled before `start` or after `end` belongs to no phase, and is left out.
    """
    seconds = [each for each in sampled if start <= each["t"] <= end]
    found = [
        _of(seconds, start, "cpu", "CPU by part", "percent of one core", "%", _largest(seconds, "cpu_percent")),
        _of(
            seconds, start, "waits", "What Postgres was busy with", "backends seen at it, by look", "", _waits(seconds)
        ),
        _of(seconds, start, "wal", "WAL", "kilobytes a second", "kB/s", _by_shard(seconds, "WAL", _wal)),
        _of(
            seconds,
            start,
            "dead",
            "Dead tuples",
            "rows, as Postgres estimates them",
            "",
            _by_shard(seconds, "dead tuples", _dead),
        ),
    ]
    return [chart for chart in found if chart["traces"]]


def _of(
    seconds: Sequence[Second],
    start: float,
    name: str,
    title: str,
    about: str,
    unit: str,
    curves: Mapping[str, Callable[[Second], float | None]],
) -> dict[str, Any]:
    x = [round(each["t"] - start, 2) for each in seconds]
    traces = []
    for (label, read), color in zip(curves.items(), COLORS, strict=False):
        y = [read(each) for each in seconds]
        if any(value is not None for value in y):
            traces.append({"name": label, "x": x, "color": color, **line(y)})
    chart = {"id": f"use-{name}", "title": title, "about": about, "unit": unit, "timeline": True}
    return {**chart, "traces": traces}


def _largest(seconds: Sequence[Second], key: str) -> dict[str, Callable[[Second], float | None]]:
    totals: Counter[str] = Counter()
    for each in seconds:
        totals.update(each[key])
    return {name: _part(key, name) for name, _ in totals.most_common(len(COLORS))}


def _part(key: str, name: str) -> Callable[[Second], float | None]:
    return lambda each: each[key].get(name, 0.0) if each[key] else None


def _waits(seconds: Sequence[Second]) -> dict[str, Callable[[Second], float | None]]:
    return {name: _look(name) for name in list(_largest(seconds, "waits"))[:5]}


def _look(name: str) -> Callable[[Second], float | None]:
    return lambda each: each["waits"].get(name, 0) / each["looks"] if each["looks"] else None


def _by_shard(
    seconds: Sequence[Second], name: str, read: Callable[[Second], float | None]
) -> dict[str, Callable[[Second], float | None]]:
    """A curve; of several shards that of their sum, and one for each that a colour is left for."""
    shards = len(seconds[0].get("shards", ())) if seconds else 0
    own = {f"shard {number}": _own(number, read) for number in range(min(shards, len(COLORS) - 1))}
    return {"all shards": read, **own} if own else {name: read}


def _own(number: int, read: Callable[[Second], float | None]) -> Callable[[Second], float | None]:
    return lambda each: read({**each, **each["shards"][number]})


def _wal(each: Second) -> float | None:
    written = each["wal_bytes"]
    return None if written is None or not each["seconds"] else round(written / each["seconds"] / 1000, 1)


def _dead(each: Second) -> float | None:
    return sum(each["dead_tuples"].values()) if each["dead_tuples"] else None
