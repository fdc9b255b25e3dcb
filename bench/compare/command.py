"""`python -m bench compare`: trials in pairs, or bundles that exist, to a comparison with a report."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.bundle.comparison import read_comparison
from bench.bundle.folder import new_id
from bench.bundle.leave import finish
from bench.compare import document, page, table
from bench.compare.arms import revisions, variables
from bench.compare.arms.arm import Arm
from bench.compare.likeness import name_arms, refuse
from bench.compare.loaded import load
from bench.compare.statistics.contrast import Terms
from bench.compare.trials import Sitting, Taken, run
from bench.ends.errors import SetupError
from settings import Environment

COMPARISON: Final = "comparison.json"
FEWEST: Final = 1
MOST: Final = 50


def compare(arguments: argparse.Namespace, console: Console) -> int:
    """Compare and leave `results/<id>/`. 0 when every trial is sound."""
    _refuse_mixed(arguments)
    if arguments.bundles:
        sitting, doubts = _given(arguments.bundles, anyway=arguments.anyway)
        folder = arguments.results / new_id(sitting.taken[0].trial.result.scenario, "compare")
        return _finish(sitting, doubts, folder, 1, console)
    given = arguments.trials
    trials = None if given is None else Environment({"--trials": given}).integer("--trials", 0, low=FEWEST, high=MOST)
    with _arms(arguments, console) as arms:
        sitting = Sitting([arm.name for arm in arms], trials or Terms(len(arms) - 1).fewest)
        settings = arms[0].settings
        # A name that is never given twice draws the order, so that it is another one each time, and stays known.
        folder = arguments.results / new_id(settings.scenario.name, "compare")
        try:
            run(sitting, arms, arguments.results, Random(folder.name), console)
        finally:
            if not sitting.taken:
                console.print(Text(f"no trial has a result: {sitting.why or sitting.ended}"), soft_wrap=True)
            else:
                code = _finish(sitting, [], folder, settings.seed, console)
    return code


def render(folder: Path) -> str:
    """The report of the comparison in `folder`, again. Raises SetupError for a document that can not be used."""
    return page.render(read_comparison(folder / COMPARISON))


@contextmanager
def _arms(arguments: argparse.Namespace, console: Console) -> Iterator[Sequence[Arm]]:
    if arguments.revision:
        with revisions.prepared(arguments.revision, arguments.scenario, arguments.mode, console) as arms:
            yield arms
    elif arguments.arm:
        yield variables.of_variables(arguments.arm, arguments.scenario, arguments.mode)
    elif arguments.projectors is not None:
        yield variables.of_projectors(arguments.projectors, arguments.scenario, arguments.mode)
    else:
        yield variables.of_modes(arguments.scenario)


def _refuse_mixed(arguments: argparse.Namespace) -> None:
    """One comparison is of one kind."""
    given = {"bundles": arguments.bundles, "--arm": arguments.arm, "--revision": arguments.revision}
    told = [name for name, value in {**given, "--projectors": arguments.projectors}.items() if value]
    if len(told) > 1:
        raise SetupError(" and ".join(told), "are different comparisons", "say one of them")


def _given(folders: list[Path], *, anyway: bool) -> tuple[Sitting, list[str]]:
    if len(folders) % 2:
        raise SetupError("compare", f"{len(folders)} bundles are no pairs", "name them by turns: A B, or A B A B …")
    trials = [load(folder) for folder in folders]
    doubts = refuse([trials[::2], trials[1::2]], anyway=anyway)
    sitting = Sitting(name_arms(trials[:2]), len(trials) // 2, drawn=False)
    sitting.taken = [Taken(number % 2, number // 2 + 1, trial) for number, trial in enumerate(trials)]
    return sitting, doubts


def _finish(sitting: Sitting, doubts: list[str], folder: Path, seed: int, console: Console) -> int:
    found = document.build(folder.name, sitting, doubts, seed)
    return finish(folder, COMPARISON, found, page.render(found), lambda: table.show(console, found, folder), console)
