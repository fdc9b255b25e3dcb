"""`python -m bench soak`: one run with a steady load for a long time, and the verdict over its series."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.soak import document, page, table
from bench.answers.trial import Measure, measured
from bench.bundle.folder import new_id
from bench.bundle.leave import finish
from bench.bundle.reading import refusing
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from bench.report.words import spoken
from metrics.reading import read
from metrics.records.answers.soak import FILE, SCHEMA, Soak
from settings import Environment
from settings.catalogue.load import DURATION
from settings.catalogue.observation import SAMPLE_RESOURCES

DEFAULTS: Final[Mapping[str, str]] = {"RATE": "300", "WARMUP": "10s", "HOLD": "0"}
"""A steady open loop below the capacity of two cores. A variable that is set wins."""
MINUTES: Final = "20"
LEAST: Final = 2.0
MOST: Final = 24 * 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    parser.add_argument("--minutes", default=MINUTES, metavar="N", help=f"of load (default: {MINUTES})")
    parser.add_argument("--mode", choices=["serial", "parallel"], help="default: SERIAL_PROJECTION")


def soak(arguments: argparse.Namespace, console: Console, measure: Measure | None = None) -> int:
    """Run, judge, and leave `results/<id>/soak.json`. 0 where the run is proven and every series settles."""
    settings = _settings(arguments)
    rate = "a closed loop" if settings.rate is None else f"{settings.rate:g} requests/s"
    console.print(Text(f"· {rate} for {spoken(settings.duration_s)}, {settings.ordering}"), soft_wrap=True)
    take = measure or measured(arguments.results, console)
    ran = take(settings, f"soak, {settings.ordering}")
    folder = arguments.results / new_id(settings.scenario.name, "soak")
    found = document.build(folder.name, ran, settings.duration_s)
    return finish(folder, FILE, found, page.render(found), lambda: table.show(console, found, folder), console)


def render(folder: Path) -> str:
    """The report of the soak in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Soak, schema=SCHEMA))


def _settings(arguments: argparse.Namespace) -> Settings:
    minutes = Environment({"--minutes": str(arguments.minutes)}).number("--minutes", None, low=LEAST, high=MOST)
    given = {name: value for name, value in os.environ.items() if value.strip()}
    if DURATION.name in given:
        raise SetupError(DURATION.name, "the soak sets it", "unset it, and say --minutes")
    variables = {**given, DURATION.name: DURATION.spell(60 * minutes)}
    settings = Settings.from_env(variables, scenario=arguments.scenario, mode=arguments.mode, defaults=DEFAULTS)
    if not settings.sample_resources:
        raise SetupError(SAMPLE_RESOURCES.name, "without samples nothing can be judged", "unset it")
    return settings
