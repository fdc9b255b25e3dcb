"""`python -m bench gate`: trials against a baseline file, or against another revision in one sitting; for CI.

Exit codes: 0 no regression, or one that is only reported; 1 unsound trials, a figure that is not as required, or, with
`--enforce`, a regression; 2 a setting, or a baseline that is not alike.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.gate import baseline as baselines
from bench.answers.gate.judge import Bounds, against_file, against_revision, verdict
from bench.answers.gate.markdown import headline, markdown
from bench.answers.gate.requirement import Requirement, requirements
from bench.bundle.folder import new_id
from bench.bundle.leave import leave
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
from metrics.records.answers.gate import FILE, SCHEMA, Gate, Judged
from metrics.records.record import write_json
from settings import Environment

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
PAGE: Final = "gate.md"
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
    """Measure, judge, and leave `results/<id>/` with gate.json and its Markdown."""
    required = requirements(arguments.require)
    bounds = Bounds(_by_metric("--tolerance", arguments.tolerance), _by_metric("--floor", arguments.floor))
    trials = Environment({"--trials": arguments.trials}).integer("--trials", TRIALS, low=1, high=MOST)
    if arguments.against is not None:
        _refuse_both(arguments)
        return _against(arguments, trials, bounds, required, console)
    if arguments.baseline is None:
        raise SetupError("gate", "nothing to compare with", "say --baseline FILE, or --against REVISION")
    settings = Settings.from_env(ambient(), scenario=arguments.scenario, mode=arguments.mode)
    if arguments.write:
        return _write(arguments, settings, trials, console)
    return _beside_file(arguments, settings, trials, bounds, required, console)


def _write(arguments: argparse.Namespace, settings: Settings, trials: int, console: Console) -> int:
    sitting = Sitting([NOW], trials)
    run(sitting, [Here(NOW, settings)], arguments.results, Random(1), console)
    if why := _unsound(sitting) or next(iter(in_doubt([sitting.arm(0)])), ""):
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
    sitting = Sitting([NOW], trials)
    run(sitting, [baselines.Alike(Here(NOW, settings), base)], arguments.results, Random(1), console)
    doubts = in_doubt([sitting.arm(0)])
    judged = against_file(base["metrics"], baselines.figures(sitting.arm(0)), bounds, doubts[0] if doubts else "")
    told = f"`{arguments.baseline.name}` of {(base['revision'] or 'no revision')[:10]}, {base['written_at']}"
    return _finish(arguments, sitting, judged, doubts, told, required, console)


def _against(
    arguments: argparse.Namespace, trials: int, bounds: Bounds, required: Sequence[Requirement], console: Console
) -> int:
    named = [arguments.against, NOW]
    with revisions.prepared(named, arguments.scenario, arguments.mode, console) as arms:
        sitting = Sitting([arm.name for arm in arms], trials)
        given: Sequence[Arm] = arms
        name = new_id(arguments.scenario, "gate")
        run(sitting, given, arguments.results, Random(name), console)
        found = document.build(name, sitting, [], arms[0].settings.seed)
        judged = against_revision(found, bounds)
        return _finish(arguments, sitting, judged, found["doubts"], f"`{arms[0].name}`", required, console)


def _finish(
    arguments: argparse.Namespace,
    sitting: Sitting,
    judged: Sequence[Judged],
    doubts: Sequence[str],
    against: str,
    required: Sequence[Requirement],
    console: Console,
) -> int:
    why = _unsound(sitting)
    scenario = sitting.taken[0].trial.result.scenario
    folder: Path = arguments.results / new_id(scenario, "gate")
    ours = [trial.result for trial in sitting.arm(len(sitting.names) - 1)]
    held = [one.judge(ours) for one in required]
    found = verdict(judged, why)
    failed = (
        found == "unsound" or not all(one["holds"] for one in held) or (arguments.enforce and found == "regression")
    )
    told: Gate = {
        "schema": SCHEMA,
        "gate_id": folder.name,
        "against": against,
        "verdict": found,
        "why": why,
        "enforced": arguments.enforce,
        "failed": failed,
        "doubts": list(doubts),
        "run_ids": [one.trial.result.run_id for one in sitting.taken],
        "metrics": [] if why else list(judged),
        "required": held,
    }
    _leave(told, folder, console)
    return FAILED if failed else SOUND


def _leave(told: Gate, folder: Path, console: Console) -> None:
    """Both documents in the folder, the Markdown on the terminal and where CI shows it."""
    page = markdown(told)
    console.print(Text(page), soft_wrap=True)
    summary = os.environ.get(SUMMARY, "").strip()
    if missing := leave(folder, FILE, told, page, page_name=PAGE):
        raise SetupError("--results", f"could not be written ({missing})", "make room")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(page)
        except OSError as error:
            raise SetupError(SUMMARY, f"{summary} can not be written: {error.strerror}", "make room") from error
    console.print(Text(f"gate    {headline(told)}; {folder / FILE}", style="bold"), soft_wrap=True)


def _unsound(sitting: Sitting) -> str:
    """Why the trials are no results: one that is unsound gives no figure to a gate."""
    if sitting.why or sitting.ended:
        return sitting.why or sitting.ended
    unsound = [one.trial.result for one in sitting.taken if not one.trial.result.sound]
    return f"{unsound[0].run_id} is {unsound[0].verdict}: {unsound[0].why}" if unsound else ""


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
