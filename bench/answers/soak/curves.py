"""Series of a soak, from what was sampled beside its run: memory, latency, CPU and WAL by event, rows and sizes.

What must grow is told by event: the tables that keep a row of each event or todo, their indexes, and WAL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from bench.answers.soak.judge import Bound, Point
from bench.bundle.reading import Read
from bench.trial.resources.section import BESIDE, within
from bench.trial.resources.server import EVENTS
from metrics.records.sections.resources import Second, Table

KEEPING: Final = frozenset((EVENTS, "streams", "todos", "projection_audit", "idempotency_keys", "activity"))
"""Tables that keep what they are given: the log, a row for each stream, todo, projected step, key, and minute."""

SPAN_S: Final = 5.0
"""Counts of the server come late by up to a second, so a ratio of two is taken over so long."""

FEW: Final = 50
"""Updates within a span without which their share says nothing."""

MIB: Final = 2.0**20

SAMPLED: Final[tuple[tuple[str, str, str, str, Bound], ...]] = (
    ("visibility_p50_ms", "visible p50", "write to visible", "ms", Bound(0.5, 5.0)),
    ("visibility_p99_ms", "visible p99", "write to visible", "ms", Bound(0.5, 20.0)),
    ("action_p99_ms", "action p99", "latency", "ms", Bound(0.5, 20.0)),
    ("read_p99_ms", "read p99", "latency", "ms", Bound(0.5, 20.0)),
    ("backlog", "backlog", "backlog", "events", Bound(0.5, 100.0)),
)


@dataclass(frozen=True)
class Curve:
    """A series before it is judged."""

    name: str
    group: str
    unit: str
    bound: Bound
    points: list[Point]


def curves(read: Read) -> list[Curve]:
    """Every series that has a value in the load phase; its seconds count from the start of that. Pure."""
    phases = read.documents["loadgen"].get("phases", [])
    start = next((phase["started_at"] for phase in phases if phase["name"] == "load"), None)
    if start is None:
        return []
    load = [sample for sample in read.samples.records if sample["phase"] == "load"]
    seconds = within(map(Second.from_dict, read.resources.records), phases)
    looks = [(each.t - start, each.tables) for each in seconds if each.tables]
    found = [*_sampled(load, start), *_memory(seconds, start), *_by_event(seconds, start), *_rows(looks)]
    return [curve for curve in found if curve.points and (curve.bound.falls or any(value for _, value in curve.points))]


def _sampled(load: Sequence[Mapping[str, Any]], start: float) -> Iterator[Curve]:
    for field, name, group, unit, bound in SAMPLED:
        points = [(each["t"] - start, float(each[field])) for each in load if each.get(field) is not None]
        yield Curve(name, group, unit, bound, points)


def _memory(seconds: Sequence[Second], start: float) -> Iterator[Curve]:
    for part in sorted({part for each in seconds for part in each.memory_bytes} - set(BESIDE)):
        told = [each for each in seconds if part in each.memory_bytes]
        points = [(each.t - start, each.memory_bytes[part] / MIB) for each in told]
        yield Curve(part, "memory", "MiB", Bound(0.05, 4.0), points)


def _by_event(seconds: Sequence[Second], start: float) -> Iterator[Curve]:
    spans: defaultdict[int, list[Second]] = defaultdict(list)
    for each in seconds:
        spans[int((each.t - start) // SPAN_S)].append(each)

    def of(count: Callable[[Second], float | None]) -> list[Point]:
        points = []
        for number, span in spans.items():
            events, counts = sum(each.events or 0 for each in span), [count(each) for each in span]
            if events and None not in counts:
                points.append(((number + 0.5) * SPAN_S, sum(one or 0.0 for one in counts) / events))
        return points

    yield Curve("WAL", "WAL by event", "bytes", Bound(0.25, 100.0), of(lambda each: each.wal_bytes))
    for client in ("api", "projector"):
        yield Curve(f"Postgres for {client}", "CPU by event", "µs", Bound(0.25, 20.0), of(_server_us(client)))


def _server_us(client: str) -> Callable[[Second], float]:
    """Microseconds of the server's CPU that the backends of a client took."""
    return lambda each: 1e4 * each.seconds * each.postgres_cpu_percent.get(client, 0.0)


def _rows(looks: Sequence[tuple[float, Mapping[str, Table]]]) -> Iterator[Curve]:
    for name in sorted({name for _, tables in looks for name in tables}):
        own = [(t, tables[name], tables[EVENTS].inserted) for t, tables in looks if {name, EVENTS} <= tables.keys()]
        if not own or _idle(own[0][1], own[-1][1]):
            continue
        if name in KEEPING:
            written = [(t, table, events) for t, table, events in own if events]
            yield Curve(name, "table by event", "bytes", Bound(0.05, 2.0), _each(written, _table))
            yield Curve(name, "indexes by event", "bytes", Bound(0.05, 2.0), _each(written, _indexes))
            shares = [(t, table.dead / (table.live + table.dead)) for t, table, _ in own if table.live + table.dead]
            yield Curve(name, "dead rows, share", "", Bound(0.25, 0.05), shares)
        else:
            yield Curve(name, "table", "KiB", Bound(0.1, 256.0), [(t, table.table_bytes / 1024) for t, table, _ in own])
            yield Curve(
                name, "indexes", "KiB", Bound(0.1, 256.0), [(t, table.index_bytes / 1024) for t, table, _ in own]
            )
            yield Curve(name, "dead rows", "rows", Bound(0.5, 1000.0), [(t, float(table.dead)) for t, table, _ in own])
        yield Curve(name, "HOT updates, share", "", Bound(0.0, 0.05, falls=True), _hot(own))


def _idle(first: Table, last: Table) -> bool:
    """Whether nothing was written to a table."""
    return (first.inserted, first.updated) == (last.inserted, last.updated)


def _table(table: Table) -> int:
    return table.table_bytes


def _indexes(table: Table) -> int:
    return table.index_bytes


def _each(own: Sequence[tuple[float, Table, int]], size: Callable[[Table], int]) -> list[Point]:
    return [(t, size(table) / events) for t, table, events in own]


def _hot(own: Sequence[tuple[float, Table, int]]) -> list[Point]:
    """Of the updates between two looks, those that touched no index."""
    points = []
    for (_, before, _), (t, after, _) in pairwise(own):
        updated = after.updated - before.updated
        if updated >= FEW:
            points.append((t, (after.hot_updated - before.hot_updated) / updated))
    return points
