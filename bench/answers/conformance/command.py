"""`python -m bench target-check`: does a target keep the contract? One that is started for it, all, or BASE_URL.

Exit codes: 0 every rule that counts holds, of every target; 1 one does not, or a target could not be started; 2 a
setting, or a target that is not installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.conformance import page
from bench.answers.conformance.document import build, headline
from bench.answers.conformance.table import show, summary
from bench.bundle.folder import new_id
from bench.bundle.leave import REPORT, leave
from bench.bundle.reading import refusing
from bench.ends import signals
from bench.ends.conclude import FAILED, SOUND
from bench.ends.errors import RunFailed, SetupError
from bench.oracle.conformance.check import check
from bench.platforms.choice import running_system
from bench.platforms.targets import here
from bench.preflight.settings import Settings
from bench.report.progress import Progress, progress
from metrics.reading import read
from metrics.records.answers.conformance import FILE, SCHEMA, Checked, Conformance, Unchecked
from settings import Environment, SettingError
from settings.catalogue.capabilities import CAPABILITIES
from settings.catalogue.load import BASE_URL, TARGET
from settings.catalogue.projection import HANDLER_LATENCY_MS

NAME: Final = "target-check"
OPTION: Final = "--capabilities"


@dataclass
class Answer:
    """What was found so far, and where it will be left."""

    folder: Path
    checked: list[Checked] = field(default_factory=list)
    failed: list[Unchecked] = field(default_factory=list)
    left_out: list[Unchecked] = field(default_factory=list)

    def document(self) -> Conformance:
        """As `conformance.json` has it."""
        return build(self.folder.name, self.checked, self.failed, self.left_out)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for."""
    parser.add_argument("--all", action="store_true", help="every target that is installed, with its variants")
    parser.add_argument("--short", action="store_true", help="the rules that are checked before each measurement alone")
    declared = (
        f"of the system at BASE_URL, what must be proven: {', '.join(CAPABILITIES)} (default: what it offers is told)"
    )
    parser.add_argument(OPTION, metavar="NAME,…", help=declared)


def target_check(arguments: argparse.Namespace, console: Console) -> int:
    """Check, print a table for each target, and leave `conformance.json` and its page."""
    answer = Answer(arguments.results / new_id("conformance"))
    base_url = BASE_URL.given(Environment(os.environ), BASE_URL.read)
    declared = _declared(arguments.capabilities)
    _refuse_both(arguments, base_url, declared)
    try:
        if base_url is not None:
            target = TARGET.optional(Environment(os.environ)) or "the system at BASE_URL"
            with progress(console, f"the contract at {base_url}"):
                found = check(base_url, declared, short=arguments.short, target=target, latency_s=_latency_s())
                answer.checked.append(found)
            show(console, answer.checked[-1])
        elif arguments.all:
            _all(answer, console, short=arguments.short)
        else:
            _one(Settings.from_env(os.environ), answer, console, short=arguments.short)
    except SetupError:
        shutil.rmtree(answer.folder, ignore_errors=True)
        raise
    with signals.held():
        _tell(answer, console)
    return SOUND if answer.document()["held"] else FAILED


def render(folder: Path) -> str:
    """The report of the check in `folder`, again. Raises SetupError for a document that can not be used."""
    with refusing():
        return page.render(read(folder / FILE, Conformance, schema=SCHEMA))


def _one(settings: Settings, answer: Answer, console: Console, *, short: bool) -> None:
    """Start the target, check it, and stop it. Raises SetupError, RunFailed."""
    log = answer.folder / "log" / settings.target.name.replace(":", "-")
    with (
        progress(console, f"{settings.target.name}: the contract") as shown,
        _running(settings, log, shown) as base_url,
    ):
        shown.step("checking the contract, rule by rule")
        found = check(
            base_url,
            settings.target.capabilities,
            short=short,
            target=settings.target.name,
            latency_s=settings.handler_latency_ms / 1000,
        )
    answer.checked.append(found)
    show(console, found)


def _all(answer: Answer, console: Console, *, short: bool) -> None:
    """Every target that can run here, one after another; one that can not, or does not start, is told."""
    for one in here.every():
        if one.problem:
            answer.left_out.append({"target": one.target.name, "why": f"{one.problem}; {one.remedy}"})
            continue
        modes = one.target.modes
        try:
            settings = Settings.from_env(
                {**os.environ, TARGET.name: one.target.name}, mode="parallel" if "parallel" in modes else modes[0]
            )
            _one(settings, answer, console, short=short)
        except (RunFailed, SetupError, SettingError) as error:
            tail = getattr(error, "tail", "")
            console.print(Text(f"{one.target.name}: {error}\n{tail}".strip(), style="bold red"), soft_wrap=True)
            answer.failed.append({"target": one.target.name, "why": str(error)})


def _latency_s() -> float:
    """The artificial cost that the system at BASE_URL was given, as whoever asks says."""
    return float(HANDLER_LATENCY_MS.read(Environment(os.environ))) / 1000


@contextmanager
def _running(settings: Settings, log: Path, shown: Progress) -> Iterator[str]:
    log.mkdir(parents=True)
    with running_system(settings, log, shown) as system:
        yield system.base_url


def _tell(answer: Answer, console: Console) -> None:
    found, folder = answer.document(), answer.folder
    if len(found["targets"]) + len(found["failed"]) + len(found["left_out"]) > 1:
        summary(console, found)
    if missing := leave(folder, FILE, found, page.render(found)):
        raise SetupError("--results", f"could not be written ({missing})", "make room")
    for name in (REPORT, FILE):
        console.print(Text(str(folder / name)), soft_wrap=True)
    console.print(Text(headline(found), style="bold"), soft_wrap=True)


def _declared(given: str | None) -> list[str] | None:
    if given is None:
        return None
    named = [name.strip() for name in given.split(",") if name.strip()]
    for name in named:
        if name not in CAPABILITIES:
            raise SetupError(OPTION, f"{name!r} is no capability", f"say some of {', '.join(CAPABILITIES)}")
    return named


def _refuse_both(arguments: argparse.Namespace, base_url: str | None, declared: list[str] | None) -> None:
    if arguments.all and base_url is not None:
        raise SetupError(
            "--all", "starts targets, and BASE_URL is a system that runs", "unset BASE_URL, or leave --all out"
        )
    if declared is not None and base_url is None:
        raise SetupError(OPTION, "a target declares its capabilities in target.toml", "leave it out, or set BASE_URL")
