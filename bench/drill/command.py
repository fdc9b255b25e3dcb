"""`python -m bench drill`: each fault as often as asked, beside load, judged by both oracles."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.bundle.folder import new_id
from bench.bundle.leave import REPORT, leave
from bench.bundle.reading import refusing
from bench.drill import document, page
from bench.drill.repetition import Repetition
from bench.drill.table import show
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import SetupError
from bench.platforms.platform import LacksPower
from bench.preflight.settings import Settings
from bench.report.progress import progress
from bench.trial import runner
from bench.trial.fault import VARIABLE, NotApplicable, Plan, load, names
from metrics.reading import read
from metrics.records.answers.drills import FILE, SCHEMA, Drills
from settings import Environment, plugins

NO_HOLD: Final[Mapping[str, str]] = {"HOLD": "0"}
"""A fault is the only standstill of its run, unless somebody asks for a second one."""
DEFAULTS: Final[Mapping[str, str]] = {"DURATION": "10s", "WARMUP": "1s", "VUS": "50", **NO_HOLD}
"""Short, and what a fault needs besides; a variable that is set wins."""
EARLIEST: Final = 0.15
LATEST: Final = 0.4
"""The share of the load phase in which a fault strikes, so that it heals under load."""
ATTEMPTS: Final = 3
"""For each repetition that is asked for: one that did not hit is run again."""
MOST: Final = 1000


@dataclass(frozen=True)
class Drill:
    """One fault under one set of settings."""

    name: str
    settings: Settings
    repeat: int
    seed: int


def drill(arguments: argparse.Namespace, console: Console) -> int:
    """Drill, and leave `drills.json` and `report.html`. 0 when each hit as often as asked and lost nothing.

    Where no fault is named, one that needs a power that the platform lacks is passed over with a word.
    """
    drills = [_planned(name, arguments) for name in arguments.faults or names()]
    done: list[dict[str, Any]] = []
    try:
        for one in drills:
            try:
                done.append(_run(one, arguments.results, console))
            except (LacksPower, NotApplicable) as lack:
                if arguments.faults:
                    raise
                console.print(Text(f"{one.name} does not apply: {lack.name} {lack.problem}"), soft_wrap=True)
    finally:
        if done:
            _tell(done, arguments.results, console)
    return SOUND if done and all(one["verdict"] == "passed" for one in done) else FAILED


def render(folder: Path) -> str:
    """The report of the drills in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Drills, schema=SCHEMA), folder.resolve().name)


def _planned(name: str, arguments: argparse.Namespace) -> Drill:
    repeat = Environment({"--repeat": str(arguments.repeat)}).integer("--repeat", 1, low=1, high=MOST)
    first = Settings.from_env(os.environ, mode=arguments.mode, defaults=DEFAULTS)
    fault = load(name)
    with plugins.refused(VARIABLE, name, "a fault that says its defaults"):
        wanted = fault.defaults(first.strategy)
    settings = Settings.from_env(os.environ, mode=arguments.mode, defaults={**DEFAULTS, **wanted})
    told = {} if arguments.seed is None else {"--seed": str(arguments.seed)}
    seed = Environment(told).integer("--seed", settings.seed, low=0, high=2**31)
    return Drill(name, settings, repeat, seed)


def _run(one: Drill, results: Path, console: Console) -> dict[str, Any]:
    """Repeat until it hit as often as asked, or too many repetitions were in vain."""
    runs: list[Repetition] = []
    for number in range(one.repeat * ATTEMPTS):
        if sum(run.hit for run in runs) >= one.repeat:
            break
        found = _repeat(one, number, results, console)
        runs.append(found)
        state = "failed" if found.why_failed else "hit" if found.hit else "not hit"
        console.print(Text(f"{one.name}, seed {found.seed}: {state}; {found.what}; {found.run_id}"), soft_wrap=True)
    return document.drill(one.name, one.settings, one.repeat, runs)


def _repeat(one: Drill, number: int, results: Path, console: Console) -> Repetition:
    seed = one.seed + number
    settings = replace(one.settings, seed=seed)
    after_s = settings.duration_s * Random(f"{seed}/{one.name}").uniform(EARLIEST, LATEST)
    trial = runner.Trial(settings, results, Plan(one.name, after_s), number=number + 1)
    with progress(console, f"{one.name} ({settings.strategy}), repetition {number + 1}") as shown:
        ended = runner.run(trial, shown)
    ended.tell()
    return Repetition.read(ended.bundle.folder, ended.result, seed)


def _tell(done: list[dict[str, Any]], results: Path, console: Console) -> None:
    show(console, done)
    found, folder = document.build(done), results / new_id("drills")
    if missing := leave(folder, FILE, found, page.render(found, folder.name)):
        raise SetupError("--results", f"could not be written ({missing})", "make room")
    for name in (REPORT, FILE):
        console.print(Text(str(folder / name)), soft_wrap=True)
