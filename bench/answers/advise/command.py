"""`python -m bench advise`: name strategy, projectors and settings for a rate, and the runs that say so."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.answers.advise.choice import Asked, Missing, Shown, choose, doubted, faulty, missing
from bench.answers.capacity.words import name, rate
from bench.ends.conclude import FAILED, SOUND
from bench.preflight.description import durable, machine, unlike
from metrics.reading import BadDocument, read
from metrics.records.answers.capacity import FILE, SCHEMA, UNIT, Capacity
from settings import Environment
from settings.catalogue import api, load, projection
from settings.catalogue.kinds import Setting
from settings.scenarios.reader import DEFAULT

TOLD: Final[tuple[Setting, ...]] = (
    load.VUS,
    load.WRITE_RATIO,
    load.SKEW,
    projection.HANDLER,
    projection.HANDLER_LATENCY_MS,
    projection.READ_MODELS,
    projection.STREAMS_IN_FLIGHT,
    api.API_PROCESSES,
)
"""The workload, which chooses among the measurements and is told with an advice. Unset means the default."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is asked for."""
    parser.add_argument("--rate", required=True, metavar="RATE", help=f"the load, in {UNIT}, reads and writes alike")
    parser.add_argument(
        "--visible-p99", default="50ms", metavar="TIME", help="bound of write to visible (default: 50ms)"
    )
    parser.add_argument("--scenario", default=DEFAULT, metavar="NAME", help="what was measured (default: throughput)")


def advise(arguments: argparse.Namespace, console: Console) -> int:
    """Advise from the capacities under `results`; 1, and the command to run, where none of them shows it."""
    given = Environment({"--rate": arguments.rate, "--visible-p99": arguments.visible_p99})
    wanted = given.number("--rate", None, low=load.RATE.low, high=load.RATE.high)
    visible_ms = given.duration("--visible-p99", "", low=0.001, high=60) * 1000
    env = Environment(os.environ)
    workload = {each.name: _plain(each, env) for each in TOLD}
    given_by_user = {name: workload[name] for name in workload if env.optional(name)}
    asked = Asked(wanted, visible_ms, workload, arguments.scenario, given_by_user)
    curves, notes = measured(arguments.results)
    for note in notes:
        console.print(Text(f"note: {note}"), soft_wrap=True)
    if fitting := choose(asked, curves):
        _tell(console, asked, fitting)
        return SOUND
    _tell_missing(console, asked, missing(asked, curves))
    return FAILED


def measured(results: Path) -> tuple[list[Shown], list[str]]:
    """The curves that were measured on a machine like this one, under the Postgres settings of the newest of them.

    And what was left out: documents that can not be read, other machines, what is no measurement of a sound and durable
    system, other settings of Postgres, and curves with trials that were doubtful.
    """
    notes: list[str] = []
    here, documents = machine(), list(_documents(results, notes))
    alike = [document for document in documents if not unlike(here, document["machine"])]
    if left := len(documents) - len(alike):
        notes.append(f"{left} capacities of other machines are left out")
    durably = [document for document in alike if durable(document["postgres"])]
    if left := len(alike) - len(durably):
        notes.append(f"{left} capacities without durability (fsync or synchronous_commit is off) are left out")
    alike = [document for document in durably if not faulty(document)]
    if left := len(durably) - len(alike):
        notes.append(f"{left} capacities in which an oracle found a fault are left out")
    # One that was measured before there were targets is of ours.
    ours = [
        each for each in alike if each["settings"].get(load.TARGET.name, load.TARGET.default) == load.TARGET.default
    ]
    if left := len(alike) - len(ours):
        notes.append(f"{left} capacities of other targets are left out")
    alike = ours
    if not alike:
        return [], notes
    newest = max(alike, key=lambda document: document["capacity_id"])
    own = [document for document in alike if _server(document) == _server(newest)]
    if left := len(alike) - len(own):
        notes.append(f"{left} capacities under other settings of Postgres than {newest['capacity_id']} are left out")
    curves = [Shown(document, curve) for document in own for curve in document["curves"]]
    undoubted = [shown for shown in curves if not doubted(shown.curve)]
    if left := len(curves) - len(undoubted):
        notes.append(f"{left} curves with doubtful trials that were taken all the same (--anyway) are left out")
    return undoubted, notes


def _documents(results: Path, notes: list[str]) -> Iterator[Capacity]:
    for path in sorted(results.glob(f"*/{FILE}")):
        if path.parent.is_symlink():
            continue
        try:
            yield read(path, Capacity, schema=SCHEMA)
        except BadDocument as bad:
            notes.append(f"left out: {bad}")


def _server(document: Capacity) -> tuple[Any, str]:
    postgres = document["postgres"]
    return postgres.get("version"), json.dumps(postgres.get("settings", {}), sort_keys=True)


def _plain(setting: Setting, env: Environment) -> Any:
    value = setting.read(env)
    if isinstance(value, float) and value == int(value):
        return int(value)
    return setting.spell(value) if isinstance(value, tuple) else value


def _tell(console: Console, asked: Asked, fitting: Sequence[Shown]) -> None:
    best, document = fitting[0], fitting[0].document
    curve = best.curve
    told = f"STRATEGY={curve['strategy']} PROJECTORS={curve['projectors']}"
    others = " ".join(
        f"{each.name}={document['settings'][each.name]}" for each in TOLD if each.name in document["settings"]
    )
    spare = best.to_spare / asked.rate - 1
    trials = [
        rung["run_id"] for rung in curve["rungs"] if rung["rate"] == curve["holds"] and rung["outcome"] == "holds"
    ]
    broken = f"; {document['why']}, after this was confirmed" if document["why"] else ""
    lines = (
        f"{_wanted(asked)}: {name(curve)}",
        f"set       {told}",
        f"measured  {others}",
        f"shown     {curve['said']}, write to visible p99 ≤ {document['visible_p99_ms']:g} ms: {spare:.0%} to spare",
        f"by        {document['capacity_id']}, trials {', '.join(trials)}",
        f"of        {_revision(document)}, {document['scenario']}{broken}",
    )
    console.print(Text(lines[0], style="bold"), soft_wrap=True)
    for line in lines[1:]:
        console.print(Text(line), soft_wrap=True)
    for other in fitting[1:3]:
        said = f"{name(other.curve)}: {other.curve['said']} ({other.document['capacity_id']})"
        console.print(Text(f"also      {said}"), soft_wrap=True)


def _revision(document: Capacity) -> str:
    versions = document["versions"]
    revision = versions.get("revision")
    return f"revision {revision[:10]}{' with changes' if versions.get('dirty') else ''}" if revision else "no revision"


def _tell_missing(console: Console, asked: Asked, found: Missing) -> None:
    console.print(Text(f"{_wanted(asked)}: not shown; {found.why}", style="bold"), soft_wrap=True)
    if found.arguments:
        before = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in asked.given.items())
        command = f"{before} task bench:capacity -- {found.arguments}".strip()
        console.print(Text(f"run       {command}"), soft_wrap=True)
    else:
        console.print(
            Text("no run of this machine is proposed: make the system faster, or ask for less"), soft_wrap=True
        )


def _wanted(asked: Asked) -> str:
    return f"{rate(asked.rate)} {UNIT} with write to visible p99 ≤ {asked.visible_p99_ms:g} ms"
