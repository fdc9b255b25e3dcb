"""Run the trials of a comparison by turns (A B A B …), so that what changes with time falls on all arms alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.compare.likeness import USABLE
from bench.compare.loaded import Loaded, load
from bench.ends.errors import SetupError
from bench.platforms.choice import changeable
from bench.preflight.settings import Settings
from bench.report.progress import progress
from bench.report.words import WORDS, milliseconds, seconds, whole
from bench.trial import runner

# Short, so that three pairs take less than four minutes. A variable that is set wins.
DEFAULTS: Final[Mapping[str, str]] = {"DURATION": "8s", "WARMUP": "2s"}


@dataclass
class Sitting:
    """The trials so far, by arm and in the order of time. `why` is set when the comparison came to nothing."""

    names: list[str]
    arms: list[list[Loaded]] = field(init=False)
    taken: list[tuple[str, Loaded]] = field(default_factory=list)
    why: str = ""

    def __post_init__(self) -> None:
        self.arms = [[] for _ in self.names]

    def add(self, arm: int, trial: Loaded) -> None:
        """Take in one more trial of an arm."""
        self.arms[arm].append(trial)
        self.taken.append((self.names[arm], trial))


def run(sitting: Sitting, arms: Sequence[Settings], trials: int, results: Path, console: Console) -> None:
    """Run `trials` of each arm. Stops at the first trial that gives no result, and says so in `why`.

    Raises SetupError where a trial can not begin, KeyboardInterrupt.
    """
    for settings in arms:
        _refuse_fixed(settings)
    sitting.why = "the comparison was interrupted"
    for number in range(1, trials + 1):
        for arm, settings in enumerate(arms):
            done = len(sitting.taken) + 1
            title = f"trial {done} of {trials * len(arms)}: {sitting.names[arm]}"
            trial = _trial(runner.Trial(settings, results, number=number), title, console)
            sitting.add(arm, trial)
            console.print(Text(f"{title:<32}{_line(trial)}"), soft_wrap=True)
            if trial.result.verdict not in USABLE:
                sitting.why = f"trial {done} ({sitting.names[arm]}) is {trial.result.verdict}: {trial.result.why}"
                return
    sitting.why = ""


def _refuse_fixed(settings: Settings) -> None:
    if not changeable(settings):
        raise SetupError(
            "BASE_URL",
            "the trials of a comparison differ in mode or projectors, and that system is as it is",
            "unset it, or run the system once in each mode and compare the bundles",
        )


def _trial(trial: runner.Trial, title: str, console: Console) -> Loaded:
    with progress(console, title) as shown:
        ended = runner.run(trial, shown)
    for name, reason in ended.bundle.missing.items():
        console.print(Text(f"missing {ended.bundle.folder / name}: {reason}"), soft_wrap=True)
    if ended.cause is not None:
        console.print(Text(f"{title}: {ended.result.why}; {ended.bundle.folder}"), soft_wrap=True)
    ended.tell()
    return load(ended.bundle.folder)


def _line(trial: Loaded) -> str:
    result = trial.result
    if not result.sound:
        return WORDS[result.verdict]
    visible = milliseconds(result.visibility_ms.p50)
    return (
        f"{whole(result.throughput.actions_per_s)} actions/s, visible after {visible} ms (p50), "
        f"in step after {seconds(result.convergence.time_s)}"
    )
