"""`python -m bench capacity`: the highest rate for each strategy and number of projectors, within a time budget."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.answers.budget import Budget
from bench.answers.capacity import document, page, table
from bench.answers.capacity.search import Search
from bench.answers.capacity.trials import LEAST, MOST, Sitting, Tried, run
from bench.answers.trial import Measure, measured
from bench.bundle.folder import new_id
from bench.bundle.leave import finish
from bench.bundle.reading import refusing
from bench.ends.conclude import FAILED
from bench.ends.errors import SetupError
from bench.platforms.choice import changeable, require
from bench.preflight.settings import Settings
from bench.report.words import spoken
from metrics.reading import read
from metrics.records.answers.capacity import FILE, SCHEMA, UNIT, Capacity
from settings import Environment, strategies

DEFAULTS: Final[Mapping[str, str]] = {"DURATION": "8s", "WARMUP": "2s", "CONVERGENCE_MAX": "15s", "HOLD": "0"}
"""Short trials, so that a search fits its budget. A variable that is set wins."""
PROJECTORS: Final = "--projectors"
COUNTS: Final = (1, 2, 4)
SHORTEST_S: Final = 4.0
"""Of a load phase: its percentile needs a hundred writes of the visibility probe, its slope four samples."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    parser.add_argument(
        "--visible-p99", default="50ms", metavar="TIME", help="bound of write to visible (default: 50ms)"
    )
    counts = "numbers of projectors (default: 1,2,4, as far as the target has them)"
    parser.add_argument("--projectors", metavar="N,M…", help=counts)
    parser.add_argument(
        "--strategies", metavar="A,B…", help="ordering strategies (default: STRATEGY, or stream-leases)"
    )
    parser.add_argument(
        "--budget", default="15m", metavar="TIME", help="no trial begins that could end after it (default: 15m)"
    )
    parser.add_argument(
        "--anyway", action="store_true", help="take trials that are doubtful, as beside a busy neighbour"
    )
    parser.add_argument("--start", default="200", metavar="RATE", help=f"first rung, in {UNIT} (default: 200)")


def capacity(
    arguments: argparse.Namespace,
    console: Console,
    measure: Measure | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Search, and leave `results/<id>/` with what was found, also when it is broken off."""
    sitting = _sitting(arguments, clock)
    _tell(sitting, console)
    code = FAILED
    try:
        run(sitting, measure or measured(arguments.results, console), console)
    finally:
        if sitting.first is None:
            console.print(Text(f"no trial has a result: {sitting.why or 'no time for one'}"), soft_wrap=True)
        else:
            code = _finish(sitting, arguments.results, console)
    return code


def render(folder: Path) -> str:
    """The report of the capacity in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Capacity, schema=SCHEMA))


def _sitting(arguments: argparse.Namespace, clock: Callable[[], float]) -> Sitting:
    options = ("visible_p99", "budget", "start")
    given = Environment({_option(name): getattr(arguments, name) for name in options})
    visible_ms = given.duration(_option("visible_p99"), "", low=0.001, high=60) * 1000
    budget_s = given.duration(_option("budget"), "", low=1, high=86_400)
    start = given.number(_option("start"), None, low=LEAST, high=MOST)
    every = [each for settings in _by_strategy(arguments) for each in _by_projectors(settings, arguments.projectors)]
    tried = [Tried(settings, Search(start, LEAST, MOST)) for settings in every]
    planned_s = every[0].timed_s + 1
    return Sitting(
        visible_ms, tried, Budget(budget_s, planned_s, every[0].convergence_max_s, clock), anyway=arguments.anyway
    )


def _by_projectors(settings: Settings, asked: str | None) -> list[Settings]:
    """Raises SettingError for more than the target has, where they were asked for."""
    if asked is not None:
        return [settings.with_projectors(count, name=PROJECTORS) for count in numbers(PROJECTORS, asked)]
    most = settings.target.most_projectors
    return [replace(settings, projectors=count) for count in COUNTS if count <= most] or [settings]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def numbers(option: str, text: str) -> list[int]:
    """Numbers of projectors from a list with commas, each once. Raises SettingError, SetupError."""
    found = [Environment({option: each}).integer(option, None, low=1, high=64) for each in text.split(",")]
    if len(set(found)) != len(found):
        raise SetupError(option, f"{text!r} has a number twice", "say e.g. 1,2,4")
    return found


def _by_strategy(arguments: argparse.Namespace) -> list[Settings]:
    variables = {**DEFAULTS, **{name: value for name, value in os.environ.items() if value.strip()}}
    if variables.pop("RATE", None):
        raise SetupError("RATE", "the search sets it", f"unset it; --start is the first rung, in {UNIT}")
    if arguments.strategies is None:
        found = [Settings.from_env(variables, scenario=arguments.scenario)]
    else:
        found = [_with(variables, arguments.scenario, name.strip()) for name in arguments.strategies.split(",")]
    for settings in found:
        _check(settings)
    return found


def _with(variables: Mapping[str, str], scenario: str, strategy: str) -> Settings:
    told = {**variables, "STRATEGY": strategy}
    mode: Any = "serial" if strategies.is_serial(strategy) else "parallel"
    return Settings.from_env(told, scenario=scenario, mode=mode)


def _check(settings: Settings) -> None:
    scenario = settings.scenario
    if not scenario.open_loop or not scenario.visibility_probe or settings.write_ratio == 0:
        problem = f"{scenario.name} can not have an objective at a rate: it is a closed loop, or nobody writes in it"
        raise SetupError("--scenario", problem, "name one without stages and sequences, with writers, as throughput")
    if settings.duration_s < SHORTEST_S:
        problem = f"{settings.duration_s:g} s are too short for a percentile and a slope"
        raise SetupError("DURATION", problem, f"set {SHORTEST_S:g}s or more")
    require(settings)
    if not changeable(settings):
        raise SetupError("BASE_URL", "the search changes projectors, and that system is as it is", "unset it")


def _tell(sitting: Sitting, console: Console) -> None:
    budget, first = sitting.budget, sitting.tried[0].settings
    ends = datetime.now().astimezone() + timedelta(seconds=budget.seconds)
    searches = ", ".join(f"{tried.settings.ordering} × {tried.settings.projectors}" for tried in sitting.tried)
    trials = budget.trials(budget.seconds)
    lines = (
        f"objective: write to visible p99 ≤ {sitting.visible_p99_ms:g} ms, no backlog that grows, no errors, proven",
        f"rates are {UNIT}, reads and writes; WRITE_RATIO={first.write_ratio:g} of them are writes (actions)",
        f"{len(sitting.tried)} searches ({searches})",
        f"budget {spoken(budget.seconds)}, over at {ends:%H:%M}: about {trials} trials of {spoken(budget.trial_s)}",
    )
    for line in lines:
        console.print(Text(f"· {line}"), soft_wrap=True)


def _finish(sitting: Sitting, results: Path, console: Console) -> int:
    folder = results / new_id(sitting.tried[0].settings.scenario.name, "capacity")
    found = document.build(folder.name, sitting)
    return finish(folder, FILE, found, page.render(found), lambda: table.show(console, found, folder), console)
