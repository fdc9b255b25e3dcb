"""`python -m bench compare`: trials by turns, or bundles that exist, to a comparison with a report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.bundle.comparison import read_comparison
from bench.bundle.folder import new_id
from bench.compare import document, page, table
from bench.compare.likeness import name_arms, refuse
from bench.compare.loaded import load
from bench.compare.trials import DEFAULTS, Sitting, run
from bench.ends import signals
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from metrics.files import write_whole
from metrics.records.comparison import Comparison
from metrics.records.record import write_json
from settings import Environment

COMPARISON: Final = "comparison.json"
FEWEST: Final = 1
MOST: Final = 50


def compare(arguments: argparse.Namespace, console: Console) -> int:
    """Compare and leave `results/<id>/`. 0 when every trial is sound."""
    if arguments.bundles:
        sitting, doubts = _given(arguments.bundles, anyway=arguments.anyway)
        return _finish(sitting, doubts, arguments.results, 1, console)
    arms = _arms(arguments)
    trials = Environment({"--trials": str(arguments.trials)}).integer("--trials", 3, low=FEWEST, high=MOST)
    sitting = Sitting(list(arms))
    try:
        run(sitting, list(arms.values()), trials, arguments.results, console)
    finally:
        if not sitting.taken:
            console.print(Text(f"no trial has a result: {sitting.why}"), soft_wrap=True)
        else:
            code = _finish(sitting, [], arguments.results, next(iter(arms.values())).seed, console)
    return code


def render(folder: Path) -> str:
    """The report of the comparison in `folder`, again. Raises SetupError for a document that can not be used."""
    return page.render(read_comparison(folder / COMPARISON))


def _arms(arguments: argparse.Namespace) -> dict[str, Settings]:
    given = {name: value for name, value in os.environ.items() if value.strip()}
    variables: Mapping[str, str] = {**DEFAULTS, **given}
    if arguments.projectors is None:
        modes: Any = ("serial", "parallel")
        return {mode: Settings.from_env(variables, scenario=arguments.scenario, mode=mode) for mode in modes}
    base = Settings.from_env(variables, scenario=arguments.scenario, mode=arguments.mode)
    counts = [
        Environment({"--projectors": number}).integer("--projectors", None, low=1, high=64)
        for number in arguments.projectors.split(",")
    ]
    if len(set(counts)) != len(counts) or len(counts) < 2:
        raise SetupError("--projectors", f"{arguments.projectors!r} is no list of different numbers", "say e.g. 1,2,4")
    return {f"PROJECTORS={count}": replace(base, projectors=count) for count in counts}


def _given(folders: list[Path], *, anyway: bool) -> tuple[Sitting, list[str]]:
    if len(folders) % 2:
        raise SetupError("compare", f"{len(folders)} bundles are no pairs", "name them by turns: A B, or A B A B …")
    trials = [load(folder) for folder in folders]
    doubts = refuse([trials[::2], trials[1::2]], anyway=anyway)
    sitting = Sitting(name_arms(trials[:2]))
    for number, trial in enumerate(trials):
        sitting.add(number % 2, trial)
    return sitting, doubts


def _finish(sitting: Sitting, doubts: list[str], results: Path, seed: int, console: Console) -> int:
    scenario = sitting.taken[0][1].result.scenario
    folder = results / new_id(scenario, "compare")
    found = document.build(folder.name, sitting, doubts, seed)
    with signals.held():
        missing = _write(folder, found)
        table.show(console, found, folder)
    if missing:
        console.print(Text(f"missing {missing}", style="bold red"), soft_wrap=True)
    return SOUND if found["sound"] and not missing else FAILED


def _write(folder: Path, found: Comparison) -> str:
    """Write the comparison; what could not be written, and why."""
    name = COMPARISON
    try:
        folder.mkdir(parents=True)
        write_json(folder / name, found)
        name = "report.html"
        write_whole(folder / name, page.render(found))
    except OSError as error:
        return f"{folder / name}: {error.strerror}"
    return ""
