"""`python -m bench drill`: each fault as often as asked, beside load, judged by the proof of each run."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.bundle.folder import new_id
from bench.bundle.leave import REPORT, leave
from bench.bundle.reading import refusing
from bench.drill import page
from bench.drill.charts import is_whole
from bench.drill.choice import EVERY, choose
from bench.drill.repeated import Strike, striking
from bench.drill.sitting import Sitting, run
from bench.drill.table import show
from bench.ends import signals
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import SetupError
from metrics.reading import BadDocument, read
from metrics.records.answers.drills import FILE, SCHEMA, Drills
from settings import strategies


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    of = "a fault, or its module's dotted path (default: all that apply)"
    parser.add_argument("faults", nargs="*", metavar="NAME", help=of)
    parser.add_argument("--repeat", default="1", metavar="N", help="repetitions that must hit (default: 1)")
    parser.add_argument("--seed", metavar="N", help="of the first repetition (default: SEED); each further one adds 1")
    known = ", ".join(strategies.offered())
    asked = f"{known}, or {EVERY}; more than one: say it again (default: all without a NAME, else STRATEGY)"
    parser.add_argument("--strategy", action="append", metavar="NAME", help=asked)
    parser.add_argument("--mode", choices=["serial", "parallel"], help="strategies of it alone (SERIAL_PROJECTION)")
    parser.add_argument("--target", metavar="NAME", help="what is drilled (default: TARGET)")


def drill(
    arguments: argparse.Namespace,
    console: Console,
    strike: Strike | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Drill, and leave `drills.json` and `report.html`, also when it is broken off.

    0 when each fault that applies hit as often as asked and lost nothing; one that does not apply is no failure. Raises
    SetupError where none does.
    """
    sitting = Sitting(choose(arguments, os.environ), clock)
    try:
        run(sitting, strike or striking(arguments.results, console), console)
    finally:
        with signals.held():
            written = _tell(sitting, arguments.results, console)
    if not sitting.done:
        raise SetupError("drill", "no fault applies to this target where it runs", "choose another target or platform")
    passed = all(one["verdict"] == "passed" for one in sitting.done)
    return SOUND if passed and written else FAILED


def render(folder: Path) -> str:
    """The report of the drills in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        document = read(folder / FILE, Drills, schema=SCHEMA)
        for number, one in enumerate(document["drills"]):
            curve = one.get("curve")
            if curve is not None and not is_whole(curve):
                raise BadDocument(folder / FILE, f"$.drills[{number}].curve: its lists are empty, or not of one length")
    return page.render(document, folder.resolve().name)


def _tell(sitting: Sitting, results: Path, console: Console) -> bool:
    """Leave what there is and show it; False where it could not be written. Nothing, where nothing was found out."""
    if not sitting.done and (sitting.why or not sitting.not_applicable):
        return True
    found, folder = sitting.told(), results / new_id("drills")
    missing = leave(folder, FILE, found, page.render(found, folder.name))
    show(console, found)
    for name in (REPORT, FILE):
        console.print(Text(str(folder / name)), soft_wrap=True)
    if missing:
        console.print(Text(f"missing {missing}", style="bold red"), soft_wrap=True)
    return not missing
