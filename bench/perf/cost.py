"""The cost report: what each appended and each projected event takes, and what a projector takes when all is quiet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.bundle.reading import refusing
from bench.perf import histories, meter
from bench.perf.contests.visible import wait_until_projected
from bench.perf.lab import Lab, laboratory
from bench.perf.meter import Counters
from bench.perf.output.table import number
from bench.perf.trials import Losses, doubted
from bench.platforms.processes import Process
from bench.trial.resources.neighbours import taken
from bench.trial.resources.processes import Snapshot, snapshot
from metrics.reading import read_optional
from metrics.records.perf import Cost

FILE: Final = "cost.json"
RATE: Final = 1_000
SECONDS: Final = 10
IDLE_S: Final = 10

Line = dict[str, Any]


def measure(log: Path, *, quick: bool) -> dict[str, Any]:
    """Measure the four parts, each on a fresh database of one cluster."""
    with laboratory(log, settings=meter.SETTINGS, quick=quick) as lab:
        parts = {"append": _appending, "append and project": _living, "project a backlog": _rebuilding, "idle": _idling}
        return {**in_turn({name: partial(part, lab) for name, part in parts.items()}), "rate": RATE, "quick": quick}


def in_turn(
    parts: Mapping[str, Callable[[], Iterator[Line]]], look: Callable[[], Snapshot] = snapshot
) -> dict[str, Any]:
    """The lines of each part, and what others took of the machine meanwhile."""
    lines: list[Line] = []
    losses: Losses = {}
    for name, part in parts.items():
        before = look()
        lines += part()
        losses[name] = [taken(before, look(), ())]
    return {"lines": lines, **doubted(losses)}


def read(folder: Path) -> dict[str, Any] | None:
    """The last report, None if there is none. Raises SetupError for one that can not be used."""
    with refusing():
        found = read_optional(folder / FILE, Cost)
    return dict(found) if found else None


def show(console: Console, document: dict[str, Any]) -> None:
    """Print the report."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for line in document["lines"]:
        table.add_row(line["what"], number(line["value"]), line["unit"])
    console.print(table)
    for doubt in document["doubts"]:
        console.print(Text(f"{FILE.removesuffix('.json')}: in doubt, {doubt}", "bold yellow"))


def _appending(lab: Lab) -> Iterator[Line]:
    with lab.database() as url:
        lab.sql(url, meter.EXTENSION)
        api, base = lab.api(url)
        yield from _per_event(f"append at {RATE:,}/s", *_drive(lab, url, base, api))
        lab.stop(api)


def _living(lab: Lab) -> Iterator[Line]:
    with lab.database() as url:
        lab.sql(url, meter.EXTENSION)
        api, base = lab.api(url)
        projector = lab.projector(url)
        yield from _per_event(f"append and project at {RATE:,}/s", *_drive(lab, url, base, api, projector))
        lab.stop(projector)
        lab.stop(api)


def _drive(lab: Lab, url: str, base: str, *processes: Process) -> tuple[Counters, int]:
    lab.program("arrivals", f"--rate={RATE}", "--seconds=1", url=url, BASE_URL=base)
    before, events = meter.count(lab, url, *processes), lab.value(url, "SELECT count(*) FROM events")
    lab.program("arrivals", f"--rate={RATE}", f"--seconds={lab.seconds(SECONDS)}", url=url, BASE_URL=base)
    if len(processes) > 1:
        wait_until_projected(base)
    after = meter.count(lab, url, *processes)
    return after.since(before), lab.value(url, "SELECT count(*) FROM events") - events


def _rebuilding(lab: Lab) -> Iterator[Line]:
    with lab.database() as url:
        lab.sql(url, meter.EXTENSION)
        events = histories.backlog(lab, url, streams=lab.size(20_000), each=10)
        lab.settle(url)
        before = meter.count(lab, url)
        projector = lab.projector(url)
        while lab.value(url, "SELECT sum(projected) FROM tallies") < events:
            time.sleep(0.1)
        spent = meter.count(lab, url, projector).since(before)
        lab.stop(projector)
    yield from _per_event("project a backlog", spent, events)


def _idling(lab: Lab) -> Iterator[Line]:
    with lab.database() as url:
        lab.sql(url, meter.EXTENSION)
        projector = lab.projector(url)
        time.sleep(1)
        before = meter.count(lab, url, projector)
        time.sleep(lab.seconds(IDLE_S))
        spent = meter.count(lab, url, projector).since(before)
        lab.stop(projector)
    seconds = lab.seconds(IDLE_S)
    yield _line("idle projector: statements", spent.statements / seconds, "a second")
    yield _line("idle projector: processor", spent.cpu["projector"] / seconds * 1000, "ms a second")
    yield _line("idle projector: Postgres's processor", spent.cpu["postgres"] / seconds * 1000, "ms a second")
    yield _line("idle projector: WAL", spent.wal / seconds, "bytes a second")


def _per_event(what: str, spent: Counters, events: int) -> Iterator[Line]:
    for name, seconds in spent.cpu.items():
        yield _line(f"{what}: processor of {name}", seconds / events * 1e6, "µs an event")
    yield _line(f"{what}: round trips", spent.statements / events, "an event")
    yield _line(f"{what}: WAL", spent.wal / events, "bytes an event")
    yield _line(f"{what}: buffers found", spent.hits / events, "an event")
    yield _line(f"{what}: buffers read", spent.reads / events, "an event")


def _line(what: str, value: float, unit: str) -> Line:
    return {"what": what, "value": float(f"{value:.4g}"), "unit": unit}
