"""Run the trials of a comparison in pairs, the order within each drawn by lot, as many of each arm as are asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.compare.arms.arm import Arm
from bench.compare.likeness import USABLE, unlike_methods
from bench.compare.loaded import Loaded, load
from bench.compare.statistics.pairs import Pair
from bench.ends.errors import RunFailed, SetupError
from bench.report.words import WORDS, milliseconds, seconds, whole

BESIDE_S: Final = 10.0
"""What a trial takes beside its phases until one was timed: start, convergence, proof, and the end of all parts."""


@dataclass(frozen=True)
class Taken:
    """One trial of the sitting: which arm, and which pair it is of, from 1 on."""

    arm: int
    pair: int
    trial: Loaded


@dataclass
class Sitting:
    """The trials so far, in the order of time. `why` is set when the comparison came to nothing.

    `drawn`: the order within each pair was drawn by lot. `ended` says why there are fewer pairs than `planned`.
    """

    names: list[str]
    planned: int
    drawn: bool = True
    taken: list[Taken] = field(default_factory=list)
    why: str = ""
    ended: str = ""

    def arm(self, number: int) -> list[Loaded]:
        """The trials of one arm."""
        return [one.trial for one in self.taken if one.arm == number]

    @property
    def complete(self) -> list[list[Loaded]]:
        """The pairs of which every arm has its trial: its trials by arm."""
        found: dict[int, dict[int, Loaded]] = {}
        for one in self.taken:
            found.setdefault(one.pair, {})[one.arm] = one.trial
        whole_ones = [of for _, of in sorted(found.items()) if len(of) == len(self.names)]
        return [[trials[number] for number in range(len(self.names))] for trials in whole_ones]

    def pairs(self, arm: int, metric: str) -> list[Pair]:
        """The complete pairs of an arm with the first, of one metric."""
        return [Pair(trials[0].values.get(metric), trials[arm].values.get(metric)) for trials in self.complete]


def run(sitting: Sitting, arms: Sequence[Arm], results: Path, order: Random, console: Console) -> None:
    """Run the planned pairs. Stops at the first trial that gives no result, and says so in `why`.

    Raises SetupError where a trial can not begin, Interrupted.
    """
    sitting.ended = "the comparison was interrupted"
    length_s = sum(arm.settings.timed_s + BESIDE_S for arm in arms) / len(arms)
    total = sitting.planned * len(arms)
    console.print(Text(f"· {total} trials, {sitting.planned} of each, in about {_minutes(total * length_s)}"))
    began = time.monotonic()
    for pair in range(1, sitting.planned + 1):
        for arm in order.sample(range(len(arms)), len(arms)):
            done = len(sitting.taken)
            if done:
                length_s = (time.monotonic() - began) / done
            title = f"trial {done + 1} of {total}, {_minutes((total - done) * length_s)} left: {sitting.names[arm]}"
            trial = _trial(sitting, arms[arm], results, pair, title, console)
            sitting.taken.append(Taken(arm, pair, trial))
            console.print(Text(f"{title}  {_line(trial)}"), soft_wrap=True)
            if trial.result.verdict not in USABLE:
                sitting.why = f"trial {done + 1} ({sitting.names[arm]}) is {trial.result.verdict}: {trial.result.why}"
                return
            if unlike := unlike_methods([one.trial.result for one in sitting.taken]):
                sitting.why = unlike
                return
    sitting.ended = ""


def _trial(sitting: Sitting, arm: Arm, results: Path, pair: int, title: str, console: Console) -> Loaded:
    try:
        return load(arm.run(results, pair, title, console))
    except (SetupError, RunFailed) as error:
        sitting.ended = f"{title.partition(',')[0]} ({arm.name}) could not be run ({error})"
        raise


def _minutes(length_s: float) -> str:
    return f"{length_s:.0f} s" if length_s < 100 else f"{length_s / 60:.0f} minutes"


def _line(trial: Loaded) -> str:
    result = trial.result
    if not result.sound:
        return WORDS[result.verdict]
    visible = milliseconds(result.visibility_ms.p50)
    return (
        f"{whole(result.throughput.actions_per_s)} actions/s, visible after {visible} ms (p50), "
        f"in step after {seconds(result.convergence.time_s)}"
    )
