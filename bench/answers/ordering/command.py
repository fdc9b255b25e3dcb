"""`python -m bench ordering`: every visibility strategy over the same load, by turns, on a throw-away Postgres."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.text import Text

from bench.answers.ordering import document, markdown, page, strategies, table
from bench.answers.ordering.sitting import Measure, Sitting, run
from bench.answers.ordering.strategy import Strategy
from bench.answers.ordering.trial import Terms, measure
from bench.bundle.folder import new_id
from bench.bundle.leave import finish
from bench.bundle.reading import refusing
from bench.ends.conclude import FAILED
from bench.ends.errors import SetupError
from bench.oracle.database import close, closed, run_by
from bench.perf.lab import Lab, laboratory
from bench.preflight import description
from bench.report.words import spoken
from metrics.reading import read
from metrics.records.answers.ordering import FILE, SCHEMA, Ordering, Trial
from settings import Environment

FOREIGN: Final = "postgres"
"""The database of the transaction that has nothing to do with events."""

Laboratory = Callable[[Path, Sitting], AbstractContextManager[Measure]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    parser.add_argument("--only", metavar="NAME,…", help="these strategies alone, or modules by their dotted paths")
    parser.add_argument("--seconds", default="5s", metavar="TIME", help="load of a trial (default: 5s)")
    parser.add_argument("--writers", default="16", metavar="N", help="connections that append (default: 16)")
    parser.add_argument("--rounds", default="3", metavar="N", help="trials of each strategy (default: 3)")
    parser.add_argument("--stall", default="1s", metavar="TIME", help="how long a transaction stands (default: 1s)")
    parser.add_argument("--seed", default="1", metavar="N", help="of the order, the pauses and rollbacks (default: 1)")
    parser.add_argument("--publish", action="store_true", help=f"put the table into {markdown.PAGE.name} of the docs")


def ordering(arguments: argparse.Namespace, console: Console, at: Laboratory | None = None) -> int:
    """Measure, and leave `results/<id>/` with what was measured, also when it is broken off.

    0: every strategy is sound, and the control was caught losing events.
    """
    sitting = _sitting(arguments)
    if arguments.publish and arguments.only is not None:
        raise SetupError("--publish", "the page has all strategies", "leave --only out")
    folder = arguments.results / new_id("ordering")
    _tell(sitting, console)
    code = FAILED
    try:
        with (at or laboratory_of)(folder / "log", sitting) as measured:
            run(sitting, measured, console)
    finally:
        if not any(sitting.taken.values()):
            told = "; ".join(f"{name}: {why}" for name, why in sitting.failed.items())
            console.print(Text(f"no trial has a result: {told or sitting.ended}"), soft_wrap=True)
        else:
            code = _finish(sitting, folder, console, publish=arguments.publish)
    return code


def render(folder: Path) -> str:
    """The report of the strategies in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Ordering, schema=SCHEMA))


def _sitting(arguments: argparse.Namespace) -> Sitting:
    names = ("seconds", "writers", "rounds", "stall", "seed")
    given = Environment({f"--{name}": getattr(arguments, name) for name in names})
    terms = Terms(
        seconds=given.duration("--seconds", "", low=0.5, high=600),
        writers=given.integer("--writers", None, low=2, high=64),
        stall_s=given.duration("--stall", "", low=0.1, high=30),
        seed=given.integer("--seed", None, low=0, high=2**31),
    )
    rounds = given.integer("--rounds", None, low=1, high=100)
    return Sitting(strategies.load(arguments.only), terms, rounds)


@contextmanager
def laboratory_of(log: Path, sitting: Sitting) -> Iterator[Measure]:
    """A throw-away Postgres with its default settings, and a fresh database for each trial."""
    try:
        log.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{log.parent.parent} can not be written to ({error.strerror})"
        raise SetupError("--results", problem, "make room, or name another folder") from error
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        with laboratory(log) as lab:
            foreign = closed(lab.cluster.url(FOREIGN))
            source = lab.cluster.binaries.source
            told = description.postgres(foreign, source=source, profile=lab.cluster.profile)
            sitting.postgres = run_by(runner, told)
            yield lambda strategy, number: _trial(lab, runner, strategy, sitting.terms, number)
    finally:
        close(runner)


def _trial(lab: Lab, runner: asyncio.Runner, strategy: Strategy, terms: Terms, number: int) -> Trial:
    with lab.database() as url:
        lab.sql(url, *strategy.schema, "ANALYZE", "CHECKPOINT")
        return run_by(runner, measure(url, closed(lab.cluster.url(FOREIGN)), strategy, terms, number))


def _tell(sitting: Sitting, console: Console) -> None:
    ends = datetime.now().astimezone() + timedelta(seconds=sitting.planned_s)
    terms = sitting.terms
    lines = (
        f"{sitting.rounds} rounds in drawn order of {', '.join(sitting.strategies)}",
        f"each: {terms.writers} writers for {spoken(terms.seconds)}, then a stalled writer and a foreign transaction"
        f" of {terms.stall_s:g} s; a throw-away Postgres",
        f"some {spoken(sitting.planned_s)}, over at about {ends:%H:%M}",
    )
    for line in lines:
        console.print(Text(f"· {line}"), soft_wrap=True)


def _finish(sitting: Sitting, folder: Path, console: Console, *, publish: bool) -> int:
    found = document.build(folder.name, sitting)
    code = finish(folder, FILE, found, page.render(found), lambda: table.show(console, found, folder), console)
    if publish and not sitting.ended:
        markdown.publish(markdown.PAGE, found)
        console.print(Text(f"page    {markdown.PAGE}"), soft_wrap=True)
    return code
