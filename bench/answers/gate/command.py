"""`python -m bench gate`: trials against a baseline file, another revision in one sitting, or thresholds; for CI.

Exit codes: 0 no regression, or one that is only reported; 1 unsound trials, a figure that is not as required, or, with
`--enforce`, a regression; 2 a setting, or a baseline that is not alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.gate import baseline as baselines
from bench.answers.gate import page
from bench.answers.gate.ending import a_folder, finish, unsound
from bench.answers.gate.judge import Bounds, against_file, against_revision
from bench.answers.gate.requirement import Requirement, requirements
from bench.bundle.reading import refusing
from bench.compare import document
from bench.compare.arms import revisions
from bench.compare.arms.arm import Arm
from bench.compare.arms.variables import Here, ambient
from bench.compare.likeness import in_doubt
from bench.compare.metrics import METRICS
from bench.compare.trials import Sitting, run
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from metrics.reading import read
from metrics.records.answers.gate import FILE, SCHEMA, Gate
from metrics.records.record import write_json
from settings import Environment

TRIALS: Final = 5
MOST: Final = 50
NOW: Final = "HEAD"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="trials of an earlier sitting on a like machine")
    parser.add_argument("--write", action="store_true", help="measure, and write FILE")
    parser.add_argument("--against", metavar="REVISION", help="measure HEAD and that revision in one sitting, in pairs")
    parser.add_argument("--trials", default=str(TRIALS), metavar="N", help=f"trials, or pairs (default: {TRIALS})")
    parser.add_argument("--enforce", action="store_true", help="exit code 1 on a regression; without it, a report")
    tolerance = "how much worse a metric may be (default: 0.1 of the leading ones), e.g. --tolerance action_p99_ms=0.5"
    parser.add_argument("--tolerance", action="append", default=[], metavar="METRIC=SHARE", help=tolerance)
    floor = "the least difference that counts, in the metric's unit, e.g. --floor visible_p50_ms=0.5"
    parser.add_argument("--floor", action="append", default=[], metavar="METRIC=NUMBER", help=floor)
    add_requirements(parser)


def add_requirements(parser: argparse.ArgumentParser) -> None:
    """Thresholds, which `run` has too."""
    required = 'a figure of result.json that must hold, e.g. --require "visibility_ms.p99<50"; again and again'
    parser.add_argument("--require", action="append", default=[], metavar="FIGURE<NUMBER", help=required)


def gate(arguments: argparse.Namespace, console: Console) -> int:
    """Measure, judge, and leave `results/<id>/` with gate.json, its Markdown and its page, also when broken off."""
    required = requirements(arguments.require)
    bounds = Bounds(_by_metric("--tolerance", arguments.tolerance), _by_metric("--floor", arguments.floor))
    trials = Environment({"--trials": arguments.trials}).integer("--trials", TRIALS, low=1, high=MOST)
    if arguments.against is not None:
        _refuse_both(arguments)
        return _against(arguments, trials, bounds, required, console)
    if arguments.baseline is None and (arguments.write or not required):
        problem = "nothing to compare with"
        raise SetupError("gate", problem, "say --baseline FILE, --against REVISION, or --require for thresholds alone")
    settings = Settings.from_env(ambient(), scenario=arguments.scenario, mode=arguments.mode)
    if arguments.baseline is None:
        return _alone(arguments, settings, trials, required, console)
    if arguments.write:
        return _write(arguments, settings, trials, console)
    return _beside_file(arguments, settings, trials, bounds, required, console)


def _write(arguments: argparse.Namespace, settings: Settings, trials: int, console: Console) -> int:
    sitting = Sitting([NOW], trials)
    run(sitting, [Here(NOW, settings)], arguments.results, Random(1), console)
    if why := unsound(sitting) or next(iter(in_doubt([sitting.arm(0)])), ""):
        console.print(Text(f"no baseline is written: {why}"), soft_wrap=True)
        return FAILED
    written = baselines.of_trials(sitting.arm(0), settings)
    try:
        write_json(arguments.baseline, written)
    except OSError as error:
        raise SetupError(str(arguments.baseline), f"can not be written: {error.strerror}", "make room") from error
    console.print(Text(f"baseline {arguments.baseline}: commit it"), soft_wrap=True)
    return SOUND


def _beside_file(
    arguments: argparse.Namespace,
    settings: Settings,
    trials: int,
    bounds: Bounds,
    required: Sequence[Requirement],
    console: Console,
) -> int:
    base = baselines.read_baseline(arguments.baseline)
    baselines.refuse_unlike(base, settings)
    sitting, folder = Sitting([NOW], trials), a_folder(arguments.results, settings)
    told = f"`{arguments.baseline.name}` of {(base['revision'] or 'no revision')[:10]}, {base['written_at']}"

    def end() -> int:
        doubts = in_doubt([sitting.arm(0)])
        judged = against_file(base["metrics"], baselines.figures(sitting.arm(0)), bounds, doubts[0] if doubts else "")
        return finish(arguments, folder, sitting, judged, doubts, told, required, console)

    arms = [baselines.Alike(Here(NOW, settings), base)]
    return _measure(sitting, arms, arguments.results, Random(1), console, end)


def _alone(
    arguments: argparse.Namespace,
    settings: Settings,
    trials: int,
    required: Sequence[Requirement],
    console: Console,
) -> int:
    """Thresholds on the trials of this revision, without another side."""
    sitting, folder = Sitting([NOW], trials), a_folder(arguments.results, settings)

    def end() -> int:
        return finish(arguments, folder, sitting, [], in_doubt([sitting.arm(0)]), "", required, console)

    return _measure(sitting, [Here(NOW, settings)], arguments.results, Random(1), console, end)


def _against(
    arguments: argparse.Namespace, trials: int, bounds: Bounds, required: Sequence[Requirement], console: Console
) -> int:
    named = [arguments.against, NOW]
    with revisions.prepared(named, arguments.scenario, arguments.mode, console) as arms:
        sitting = Sitting([arm.name for arm in arms], trials)
        given: Sequence[Arm] = arms
        folder = a_folder(arguments.results, arms[0].settings)

        def end() -> int:
            found = document.build(folder.name, sitting, [], arms[0].settings.seed)
            judged = against_revision(found, bounds)
            return finish(arguments, folder, sitting, judged, found["doubts"], f"`{arms[0].name}`", required, console)

        return _measure(sitting, given, arguments.results, Random(folder.name), console, end)


def _measure(
    sitting: Sitting, arms: Sequence[Arm], results: Path, order: Random, console: Console, end: Callable[[], int]
) -> int:
    """Run the trials, then `end`, which gives the exit code. Broken off, what was measured until then is kept."""
    try:
        run(sitting, arms, results, order, console)
    except BaseException:
        if sitting.taken:
            end()
        raise
    return end()


def render(folder: Path) -> str:
    """The report of the gate in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Gate, schema=SCHEMA))


def _refuse_both(arguments: argparse.Namespace) -> None:
    if arguments.baseline is not None or arguments.write:
        raise SetupError("--against", "and a baseline file are different gates", "say one of them")


def _by_metric(option: str, given: Sequence[str]) -> dict[str, float]:
    known = {metric.name for metric in METRICS}
    found: dict[str, float] = {}
    for word in given:
        name, _, value = word.partition("=")
        if name not in known:
            raise SetupError(option, f"{name!r} is no metric", f"say one of {', '.join(sorted(known))}")
        found[name] = Environment({option: value}).number(option, None, low=0, high=1e9)
    return found
