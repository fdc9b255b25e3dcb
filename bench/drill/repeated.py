"""A fault as often as asked, each repetition a run of its own; one that did not hit is run again, within a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.drill.repetition import Repetition
from bench.preflight.settings import Settings
from bench.report.progress import progress
from bench.trial import runner
from bench.trial.fault import VARIABLE, Plan, load
from bench.trial.takeovers.by_progress import WITHIN_S
from settings import plugins
from settings.scenarios import reader
from settings.targets.document import Mode

NO_HOLD: Final[Mapping[str, str]] = {"HOLD": "0"}
"""A fault is the only standstill of its run, unless somebody asks for a second one."""
DEFAULTS: Final[Mapping[str, str]] = {"DURATION": "10s", "WARMUP": "1s", "VUS": "50", **NO_HOLD}
"""Short, and what a fault needs besides; a variable that is set wins."""
EARLIEST: Final = 0.15
LATEST: Final = 0.4
"""The share of the load phase in which a fault strikes, so that it heals under load."""
ATTEMPTS: Final = 3
"""For each repetition that is asked for: one that did not hit is run again."""
BESIDE_S: Final = 14.0
"""What a run takes beside its phases until one was timed: start, convergence, proof, and the end of all parts."""


@dataclass(frozen=True)
class Drill:
    """One fault under one set of settings."""

    name: str
    settings: Settings
    repeat: int
    seed: int

    @property
    def lasts_s(self) -> float:
        """All repetitions, if each hits at once; a takeover is waited for where the target does not tell of it."""
        waits_s = 0.0 if self.settings.target.ours else WITHIN_S
        return self.repeat * (self.settings.timed_s + BESIDE_S + waits_s)


Strike = Callable[[Drill, int], Repetition]
"""One repetition by its number from 0 on. Raises SetupError where it can not begin, KeyboardInterrupt."""


def settings_for(
    name: str, variables: Mapping[str, str], *, mode: Mode | None = None, scenario: str = reader.DEFAULT
) -> Settings:
    """Settings under which the fault hits, a variable that is set above them. Raises SettingError."""
    first = Settings.from_env(variables, scenario=scenario, mode=mode, defaults=DEFAULTS)
    fault = load(name)
    with plugins.refused(VARIABLE, name, "a fault that says its defaults"):
        wanted = fault.defaults(first.strategy)
    return Settings.from_env(variables, scenario=scenario, mode=mode, defaults={**DEFAULTS, **wanted})


def planned(one: Drill, number: int) -> tuple[Settings, Plan]:
    """What the seed of a repetition decides before it begins: its load, by the settings, and the moment of the strike.

    What a fault chooses besides comes of the same seed: `bench.trial.fault.chance`.
    """
    seed = one.seed + number
    after_s = one.settings.duration_s * Random(f"{seed}/{one.name}").uniform(EARLIEST, LATEST)
    return replace(one.settings, seed=seed), Plan(one.name, after_s)


def repetitions(one: Drill, strike: Strike) -> Iterator[Repetition]:
    """Each repetition, until it hit as often as asked, or too many were in vain."""
    hit = 0
    for number in range(one.repeat * ATTEMPTS):
        if hit >= one.repeat:
            break
        found = strike(one, number)
        hit += found.hit
        yield found


def striking(results: Path, console: Console) -> Strike:
    """Repetitions as the bench runs them, each with a system of its own, told in a line when it has ended."""

    def strike(one: Drill, number: int) -> Repetition:
        settings, plan = planned(one, number)
        trial = runner.Trial(settings, results, plan, number=number + 1)
        with progress(console, f"{one.name} ({settings.ordering}), repetition {number + 1}") as shown:
            ended = runner.run(trial, shown)
        ended.tell()
        found = Repetition.read(ended.bundle.folder, ended.result, settings.seed)
        state = "failed" if found.why_failed else "hit" if found.hit else "not hit"
        console.print(Text(f"{one.name}, seed {found.seed}: {state}; {found.what}; {found.run_id}"), soft_wrap=True)
        return found

    return strike
