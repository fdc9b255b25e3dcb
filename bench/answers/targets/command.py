"""`python -m bench targets`: all targets that are installed here, by turns, to one table with a report."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.targets import contenders, document, kills, page, table
from bench.answers.targets.trials import Sitting, run
from bench.answers.trial import Measure, measured
from bench.bundle.folder import new_id
from bench.bundle.leave import finish
from bench.bundle.reading import refusing
from bench.drill.repeated import Strike, striking
from bench.ends.conclude import FAILED
from metrics.reading import read
from metrics.records.answers.targets import FILE, SCHEMA, Targets
from settings import Environment

MOST: Final = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    parser.add_argument("--only", metavar="NAME,…", help="these targets alone, e.g. tidemark,crud,crud:grouped")
    parser.add_argument("--rounds", default="3", metavar="N", help="trials of each target (default: 3)")
    after = parser.add_mutually_exclusive_group()
    of = "kills of a projector after the rounds, of each target that was right and has one (default: 1)"
    after.add_argument("--faults", default="1", metavar="N", help=of)
    after.add_argument("--no-faults", action="store_const", const="0", dest="faults", help="none of these kills")


def targets(
    arguments: argparse.Namespace,
    console: Console,
    measure: Measure | None = None,
    clock: Callable[[], float] = time.monotonic,
    strike: Strike | None = None,
) -> int:
    """Measure, and leave `results/<id>/` with what was measured, also when it is broken off. 0: every one is sound."""
    rounds = Environment({"--rounds": arguments.rounds}).integer("--rounds", None, low=1, high=MOST)
    faults = Environment({"--faults": arguments.faults}).integer("--faults", None, low=0, high=MOST)
    found, left_out = contenders.choose(arguments.only, arguments.scenario, faults)
    sitting = Sitting(found, left_out, rounds, clock)
    for names, why in table.left_out(document.left_out(left_out)):
        console.print(Text(f"· left out: {names}: {why}"), soft_wrap=True)
    code = FAILED
    # A name that is never given twice draws the order, so that it is another one each time, and stays known.
    folder = arguments.results / new_id(found[0].settings.scenario.name, "targets")
    try:
        run(sitting, measure or measured(arguments.results, console), Random(folder.name), console)
        kills.run(sitting, strike or striking(arguments.results, console), console)
    finally:
        if not sitting.taken:
            told = "; ".join(f"{name}: {why}" for name, why in sitting.refused.items())
            console.print(Text(f"no trial has a result: {told or sitting.ended}"), soft_wrap=True)
        else:
            code = _finish(sitting, folder, console)
    return code


def render(folder: Path) -> str:
    """The report of the table in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Targets, schema=SCHEMA))


def _finish(sitting: Sitting, folder: Path, console: Console) -> int:
    found = document.build(folder.name, sitting)
    return finish(folder, FILE, found, page.render(found), lambda: table.show(console, found, folder), console)
