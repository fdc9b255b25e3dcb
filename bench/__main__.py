"""`python -m bench run | compare | targets | gate | capacity | crossover | ordering | advise | board | drill | …`.

Exit codes: 0 converged and no fault (for `compare`: every trial; for `drill`: every repetition lost nothing and came
back); 1 any other verdict, a part that failed, or a bundle that lacks a file; all others are those of
`bench.ends.conclude`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench import ROOT
from bench.answers.advise import command as advice
from bench.answers.board import command as boards
from bench.answers.capacity import command as capacities
from bench.answers.conformance import command as conformance
from bench.answers.crossover import command as crossovers
from bench.answers.doctor.command import doctor
from bench.answers.gate import command as gates
from bench.answers.gate.requirement import line, requirements
from bench.answers.ordering import command as orderings
from bench.answers.soak import command as soaks
from bench.answers.targets import command as tables
from bench.bundle.folder import LATEST, RESULTS
from bench.compare import command as comparison
from bench.compare.arms.variables import naming_targets
from bench.drill import command as drills
from bench.drill.repeated import NO_HOLD
from bench.ends.conclude import FAILED, conclude
from bench.ends.errors import SetupError
from bench.platforms import by_hand
from bench.platforms.choice import choose
from bench.preflight import scenarios
from bench.preflight.scenarios import a_scenario
from bench.preflight.settings import Settings
from bench.report import report
from bench.report.progress import progress
from bench.trial import runner, summary
from bench.trial.fault import Plan, nobody_else
from metrics.files import write_whole
from metrics.records.answers.capacity import FILE as CAPACITY
from metrics.records.answers.conformance import FILE as CONFORMANCE
from metrics.records.answers.crossover import FILE as CROSSOVER
from metrics.records.answers.drills import FILE as DRILLS
from metrics.records.answers.gate import FILE as GATE
from metrics.records.answers.ordering import FILE as ORDERING
from metrics.records.answers.soak import FILE as SOAK
from metrics.records.answers.targets import FILE as TARGETS
from settings import Environment
from settings.catalogue.load import TARGET
from settings.command_line.arguments import Parser, a_folder
from settings.scenarios import reader

SCENARIO: Final = "a name of `run --list`, or the path of a file of your own"
SOMEWHERE: Final = ("run", "compare", "gate", "capacity", "crossover", "soak", "drill", "ui")
"""Commands that take place in the stack if it is up."""


def main() -> int:
    """Run one command and turn its end into an exit code and, where it is refused, one line on stderr."""
    return conclude(_act)


def _act() -> int:
    arguments = _parser().parse_args()
    command: Callable[[argparse.Namespace, Console], int] = arguments.command
    console = Console(highlight=False)
    if getattr(arguments, "target", None):
        os.environ[TARGET.name] = arguments.target
    if (
        arguments.name in SOMEWHERE
        and not getattr(arguments, "bundles", None)
        and not getattr(arguments, "revision", None)
        and not getattr(arguments, "against", None)
        and not naming_targets(getattr(arguments, "arm", None))
        and not getattr(arguments, "list", False)
    ):
        told, where = choose(os.environ)
        os.environ.update(told)
        arguments.in_stack = bool(told)
        console.print(Text(f"· {where}"), soft_wrap=True)
    return command(arguments, console)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """One run of a scenario; or the list of those that are shipped."""
    if arguments.list:
        scenarios.show(console)
        return 0
    required = requirements(arguments.require)
    # One standstill at a time, unless both are asked for.
    alone = {} if arguments.kill_projector_at is None else NO_HOLD
    variables = {**alone, **{name: value for name, value in os.environ.items() if value.strip()}}
    settings = Settings.from_env(variables, scenario=arguments.scenario, mode=arguments.mode)
    trial = runner.Trial(settings, arguments.results, _fault(arguments, settings))
    with progress(console, _title(settings)) as shown:
        ended = runner.run(trial, shown)
    summary.show(console, ended.result, _short(ended.bundle.folder), ended.bundle.missing)
    ended.tell()
    held = [one.judge([ended.result]) for one in required]
    for one in held:
        console.print(Text(line(one)), soft_wrap=True)
    return ended.code if all(one["holds"] for one in held) else FAILED


def _title(settings: Settings) -> str:
    """Scenario and mode, and the target where it is not our own."""
    name = f"{settings.scenario.name}, {settings.mode}"
    return name if settings.target.ours else f"{settings.target.name}: {name}"


def rerender(arguments: argparse.Namespace, console: Console) -> int:
    """Write `report.html` of a bundle again."""
    folder: Path = arguments.folder
    page = _renderer(folder)(folder)
    try:
        write_whole(folder / "report.html", page)
    except OSError as error:
        raise SetupError(str(folder / "report.html"), f"can not be written: {error.strerror}", "make room") from error
    console.print(Text(str(folder / "report.html")), soft_wrap=True)
    return 0


def _renderer(folder: Path) -> Callable[[Path], str]:
    """By the document that the folder has."""
    of_kind = {
        comparison.COMPARISON: comparison.render,
        CAPACITY: capacities.render,
        CONFORMANCE: conformance.render,
        CROSSOVER: crossovers.render,
        GATE: gates.render,
        ORDERING: orderings.render,
        DRILLS: drills.render,
        SOAK: soaks.render,
        TARGETS: tables.render,
    }
    return next((render for name, render in of_kind.items() if (folder / name).exists()), report.render)


def examine(arguments: argparse.Namespace, console: Console) -> int:
    """The database of a run, before a run."""
    return doctor(arguments.results, console)


def stay(arguments: argparse.Namespace, console: Console) -> int:
    """`dev` and `ui`."""
    scenario = getattr(arguments, "scenario", reader.DEFAULT)
    settings = Settings.from_env(os.environ, scenario=scenario, mode=arguments.mode)
    (by_hand.ui if arguments.name == "ui" else by_hand.dev)(settings, console)
    return 0


def _fault(arguments: argparse.Namespace, settings: Settings) -> Plan | None:
    if arguments.kill_projector_at is None:
        return None
    values = {"--kill-projector-at": str(arguments.kill_projector_at)}
    after = Environment(values).duration("--kill-projector-at", "", low=0, high=settings.duration_s)
    if settings.base_url is not None and not arguments.in_stack:
        raise SetupError("--kill-projector-at", "only projectors of the stack or of the bench itself", "unset BASE_URL")
    replace = arguments.in_stack or settings.projectors == 1 if arguments.replace is None else arguments.replace
    if not replace and settings.projectors == 1:
        raise SetupError("--no-replace", *nobody_else(settings, "leave --no-replace out"))
    return Plan("kill-projector", after, heal=replace)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m bench", description="Run the whole system and prove the result.")
    commands = parser.add_subparsers(dest="name", required=True)
    one = _command(commands, "run", run, "run one scenario")
    one.add_argument("scenario", nargs="?", default=reader.DEFAULT, type=a_scenario, help=SCENARIO)
    one.add_argument("--list", action="store_true", help="list the scenarios, and end")
    one.add_argument("--mode", choices=["serial", "parallel"], help="default: SERIAL_PROJECTION")
    one.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where bundles go (default: results)")
    gates.add_requirements(one)
    one.add_argument("--kill-projector-at", metavar="TIME", help="kill -9 a projector, e.g. 10s into the load phase")
    one.add_argument("--replace", action=argparse.BooleanOptionalAction, help="start another one for the killed")
    _add_compare(commands)
    judging = _command(commands, "gate", gates.gate, "for CI: worse than a baseline or a revision? as required?")
    gates.add_arguments(judging)
    judging.add_argument("--mode", choices=["serial", "parallel"], help="default: SERIAL_PROJECTION")
    judging.add_argument("--scenario", default=reader.DEFAULT, type=a_scenario, help=SCENARIO)
    judging.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where bundles go (default: results)")
    most = _command(commands, "capacity", capacities.capacity, "the highest rate at which an objective holds")
    capacities.add_arguments(most)
    where = _command(commands, "crossover", crossovers.crossover, "map two strategies over cost and skew")
    crossovers.add_arguments(where)
    _add_ordering(commands)
    told = _command(commands, "advise", advice.advise, "strategy and projectors for a rate, by what was measured")
    advice.add_arguments(told)
    told.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where they are looked for")
    shown = _command(commands, "board", boards.board, "one static page of results, or publish one")
    boards.add_arguments(shown)
    shown.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where they are, and where it goes")
    told = _command(commands, "comparison", boards.compare, "docs/comparison.md, from a sitting of all targets")
    boards.add_comparison(told)
    each = _command(commands, "targets", tables.targets, "all targets that are installed here, in one table")
    tables.add_arguments(each)
    for answer in (most, where, each, _soak(commands)):
        answer.add_argument("--scenario", default=reader.DEFAULT, type=a_scenario, help=SCENARIO)
        answer.add_argument(
            "--results", type=a_folder, default=ROOT / RESULTS, help="where bundles go (default: results)"
        )
    drill = _command(commands, "drill", drills.drill, "inject faults beside load, and prove that nothing was lost")
    drills.add_arguments(drill)
    drill.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where bundles go (default: results)")
    for name, text in (("dev", "the system for use by hand"), ("ui", "Locust's web UI")):
        staying = _command(commands, name, stay, text)
        staying.add_argument("--mode", choices=["serial", "parallel"])
        if name == "ui":
            staying.add_argument("scenario", nargs="?", default=reader.DEFAULT, type=a_scenario, help=SCENARIO)
    examining = _command(commands, "doctor", examine, "what the database of a run is like, and what is sound there")
    examining.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where doctor.json goes")
    keeping = _command(commands, conformance.NAME, conformance.target_check, "does a target keep the HTTP contract?")
    conformance.add_arguments(keeping)
    keeping.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where conformance.json goes")
    again = _command(commands, "report", rerender, "write report.html of a bundle again")
    again.add_argument("folder", nargs="?", type=Path, default=ROOT / RESULTS / LATEST)
    return parser


def _soak(commands: Any) -> argparse.ArgumentParser:
    parser = _command(commands, "soak", soaks.soak, "a steady load for a long time: what settles, what compounds")
    soaks.add_arguments(parser)
    return parser


def _add_ordering(commands: Any) -> None:
    each = _command(commands, "ordering", orderings.ordering, "visibility strategies of an event table, by turns")
    orderings.add_arguments(each)
    each.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where ordering.json goes")


def _add_compare(commands: Any) -> None:
    both = _command(commands, "compare", comparison.compare, "compare in pairs of trials, or bundles that exist")
    both.add_argument("bundles", nargs="*", type=Path, help="bundles by turns: A B, or A B A B …; none: run trials")
    both.add_argument("--trials", metavar="N", help="trials of each arm (default: 5, of three arms 6; fewer: hints)")
    both.add_argument("--projectors", metavar="N,M…", help="compare numbers of projectors, e.g. 1,2,4, not the modes")
    setting = "compare settings: say it for each arm, e.g. --arm HANDLER=set --arm HANDLER=each VUS=20"
    both.add_argument("--arm", action="append", nargs="*", metavar="VARIABLE=VALUE", help=setting)
    both.add_argument("--revision", action="append", metavar="REVISION", help="compare two revisions: say it twice")
    both.add_argument("--mode", choices=["serial", "parallel"], help="of all arms; default: SERIAL_PROJECTION")
    both.add_argument("--scenario", default=reader.DEFAULT, type=a_scenario, help=SCENARIO)
    both.add_argument("--results", type=a_folder, default=ROOT / RESULTS, help="where bundles go (default: results)")
    both.add_argument("--anyway", action="store_true", help="compare bundles though they were not measured alike")


def _command(commands: Any, name: str, act: Callable[..., int], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text)
    parser.set_defaults(command=act)
    return parser


def _short(folder: Path) -> Path:
    try:
        return folder.resolve().relative_to(Path.cwd())
    except ValueError:
        return folder


if __name__ == "__main__":
    sys.exit(main())
