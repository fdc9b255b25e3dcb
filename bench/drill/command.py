"""`python -m bench drill`: each fault as often as asked, beside load, judged by both oracles."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.bundle.folder import new_id
from bench.bundle.leave import REPORT, leave
from bench.bundle.reading import refusing
from bench.drill import document, page
from bench.drill.repeated import Drill, repetitions, settings_for, striking
from bench.drill.table import show
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import SetupError
from bench.platforms.platform import LacksPower
from bench.trial.fault import NotApplicable, names
from metrics.reading import read
from metrics.records.answers.drills import FILE, SCHEMA, Drills
from settings import Environment

MOST: Final = 1000


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
    settings = settings_for(name, os.environ, mode=arguments.mode)
    told = {} if arguments.seed is None else {"--seed": str(arguments.seed)}
    seed = Environment(told).integer("--seed", settings.seed, low=0, high=2**31)
    return Drill(name, settings, repeat, seed)


def _run(one: Drill, results: Path, console: Console) -> dict[str, Any]:
    runs = list(repetitions(one, striking(results, console)))
    return document.drill(one.name, one.settings, one.repeat, runs)


def _tell(done: list[dict[str, Any]], results: Path, console: Console) -> None:
    show(console, done)
    found, folder = document.build(done), results / new_id("drills")
    if missing := leave(folder, FILE, found, page.render(found, folder.name)):
        raise SetupError("--results", f"could not be written ({missing})", "make room")
    for name in (REPORT, FILE):
        console.print(Text(str(folder / name)), soft_wrap=True)
