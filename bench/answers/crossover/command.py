"""`python -m bench crossover`: map two strategies over the cost of an event and the skew, within a time budget."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.answers.budget import Budget
from bench.answers.crossover import document, page, table
from bench.answers.crossover.cell import CATCH_UP_S, Cell, rate_of
from bench.answers.crossover.trials import Sitting, run
from bench.answers.trial import Measure, measured
from bench.bundle.folder import new_id
from bench.bundle.leave import finish
from bench.bundle.reading import refusing
from bench.ends.conclude import FAILED
from bench.ends.errors import SetupError
from bench.platforms.choice import changeable
from bench.preflight.settings import Settings
from bench.report.words import spoken
from metrics.reading import read
from metrics.records.answers.crossover import FILE, SCHEMA, Crossover
from settings import Environment, strategies
from settings.catalogue.load import RATE, SKEW
from settings.catalogue.projection import HANDLER_LATENCY_MS
from settings.strategies import IN_PARALLEL, IN_SERIAL

DEFAULTS: Final[Mapping[str, str]] = {
    "DURATION": "2s",
    "WARMUP": "1s",
    "HOLD": "3s",
    "WRITE_RATIO": "0.9",
    "CONVERGENCE_MAX": "20s",
}
"""Short trials that mostly write. A variable that is set wins."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    parser.add_argument("--costs", default="0,5", metavar="MS,…", help="HANDLER_LATENCY_MS of the rows (default: 0,5)")
    parser.add_argument("--skews", default="0,0.9", metavar="S,…", help="SKEW of the columns (default: 0,0.9)")
    parser.add_argument("--strategies", default="global-order,stream-leases", metavar="A,B", help="the two sides")
    parser.add_argument("--pairs", default="5", metavar="N", help="pairs of trials for each cell (default: 5)")
    parser.add_argument("--rate", default="400", metavar="RATE", help="the most requests/s of a cell (default: 400)")
    parser.add_argument(
        "--budget", default="12m", metavar="TIME", help="no pair begins that could end after it (default: 12m)"
    )
    parser.add_argument(
        "--anyway", action="store_true", help="take trials that are doubtful, as beside a busy neighbour"
    )


def crossover(
    arguments: argparse.Namespace,
    console: Console,
    measure: Measure | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Measure the map, and leave `results/<id>/` with the cells that were measured, also when it is broken off."""
    sitting = _sitting(arguments, clock)
    _tell(sitting, console)
    code = FAILED
    # A name that is never given twice draws the order, so that it is another one each time, and stays known.
    folder = arguments.results / new_id(sitting.sides[0].scenario.name, "crossover")
    try:
        run(sitting, measure or measured(arguments.results, console), Random(folder.name), console)
    finally:
        if sitting.first is None:
            console.print(Text(f"no trial has a result: {sitting.why or 'no time for one'}"), soft_wrap=True)
        else:
            code = _finish(sitting, folder, console)
    return code


def render(folder: Path) -> str:
    """The report of the map in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Crossover, schema=SCHEMA))


def _sitting(arguments: argparse.Namespace, clock: Callable[[], float]) -> Sitting:
    given = Environment({f"--{name}": getattr(arguments, name) for name in ("pairs", "rate", "budget")})
    pairs = given.integer("--pairs", None, low=1, high=50)
    most = given.number("--rate", None, low=1, high=RATE.high)
    budget_s = given.duration("--budget", "", low=1, high=86_400)
    costs = _numbers("--costs", arguments.costs, HANDLER_LATENCY_MS.high)
    skews = _numbers("--skews", arguments.skews, 1)
    sides = _sides(arguments)
    names = _names(sides)
    base = sides[0]
    timed = {"before_s": base.warmup_s + base.duration_s, "held_s": base.hold_s}
    rates = {cost: rate_of(cost, most, write_ratio=base.write_ratio, **timed) for cost in costs}
    cells = [Cell(cost, skew, rates[cost], names) for cost in costs for skew in skews]
    planned_s = base.timed_s + CATCH_UP_S / 2
    return Sitting(
        sides, cells, pairs, Budget(budget_s, planned_s, base.convergence_max_s, clock), anyway=arguments.anyway
    )


def _numbers(option: str, text: str, high: float) -> list[float]:
    found = [Environment({option: each}).number(option, None, low=0, high=high) for each in text.split(",")]
    if len(set(found)) != len(found):
        raise SetupError(option, f"{text!r} has a number twice", "name each once")
    return found


def _sides(arguments: argparse.Namespace) -> tuple[Settings, Settings]:
    variables = {**DEFAULTS, **{name: value for name, value in os.environ.items() if value.strip()}}
    for name, instead in ((RATE.name, "--rate"), (SKEW.name, "--skews"), (HANDLER_LATENCY_MS.name, "--costs")):
        if variables.pop(name, None):
            raise SetupError(name, "the map sets it", f"unset it, and say {instead}")
    names = [name.strip() for name in arguments.strategies.split(",")]
    if len(names) != 2:
        raise SetupError("--strategies", f"{arguments.strategies!r} are not two", "say e.g. global-order,stream-leases")
    first, second = (_side(variables, arguments.scenario, name, arguments.costs) for name in names)
    for settings in (first, second):
        if not settings.scenario.open_loop or not settings.scenario.skewable or settings.write_ratio == 0:
            problem = f"{settings.scenario.name} is a closed loop, or nobody writes updates in it"
            raise SetupError(
                "--scenario", problem, "name one without stages and sequences, with updates, as throughput"
            )
        if settings.hold_s == 0:
            raise SetupError("HOLD", "without a hold nothing is left to catch up with", "set e.g. 3s, or unset it")
        if not changeable(settings):
            raise SetupError("BASE_URL", "the map changes strategies, and that system is as it is", "unset it")
    return first, second


def _names(sides: tuple[Settings, Settings]) -> tuple[str, str]:
    """What a mode works by unless told otherwise is named by the mode."""
    first, second = sides
    if {first.strategy, second.strategy} == {IN_SERIAL, IN_PARALLEL}:
        return first.mode, second.mode
    return first.strategy, second.strategy


def _side(variables: Mapping[str, str], scenario: str, strategy: str, costs: str) -> Settings:
    """One side's settings, read with the dearest cost so that a strategy that can not have it is refused by name."""
    mode: Any = "serial" if strategies.is_serial(strategy) else "parallel"
    dearest = max(costs.split(","), key=lambda text: float(text or 0))
    told = {**variables, "STRATEGY": strategy, HANDLER_LATENCY_MS.name: dearest}
    return Settings.from_env(told, scenario=scenario, mode=mode)


def _tell(sitting: Sitting, console: Console) -> None:
    budget = sitting.budget
    ends = datetime.now().astimezone() + timedelta(seconds=budget.seconds)
    trials = len(sitting.cells) * sitting.pairs * 2
    rates = ", ".join(f"{cost:g} ms: {rate:g}" for cost, rate in {c.cost_ms: c.rate for c in sitting.cells}.items())
    needed = f"{trials} trials of {spoken(budget.trial_s)} are {spoken(trials * budget.trial_s)}"
    short = "" if trials <= budget.trials(budget.seconds) else ": the last cells may be left out"
    lines = (
        f"{len(sitting.cells)} cells of {sitting.pairs} pairs, {' against '.join(s.strategy for s in sitting.sides)}",
        f"requests/s by the cost of an event: {rates}",
        f"budget {spoken(budget.seconds)}, over at {ends:%H:%M}; {needed}{short}",
    )
    for line in lines:
        console.print(Text(f"· {line}"), soft_wrap=True)


def _finish(sitting: Sitting, folder: Path, console: Console) -> int:
    found = document.build(folder.name, sitting)
    return finish(folder, FILE, found, page.render(found), lambda: table.show(console, found, folder), console)
