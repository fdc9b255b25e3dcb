"""Rounds in which each strategy has one turn, in an order drawn by the seed, each turn on a fresh database."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.ordering import judge
from bench.answers.ordering.strategy import Strategy
from bench.answers.ordering.trial import Terms
from bench.ends.errors import RunFailed
from bench.trial.resources.neighbours import Taken, taken
from bench.trial.resources.processes import Snapshot, snapshot
from metrics.records.answers.ordering import Trial
from metrics.records.surroundings import Postgres

AROUND_S: Final = 4.0
"""What a turn costs beside its load and its stalls: a database, the interleavings, the end of each reading."""

Measure = Callable[[Strategy, int], Trial]


@dataclass
class Sitting:
    """What was asked for, and what came of it so far. `ended` says why it ended before its last round."""

    strategies: Mapping[str, Strategy]
    terms: Terms
    rounds: int
    clock: Callable[[], float] = time.monotonic
    look: Callable[[], Snapshot] = snapshot
    taken: defaultdict[str, list[Trial]] = field(default_factory=lambda: defaultdict(list))
    losses: defaultdict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    failed: dict[str, str] = field(default_factory=dict)
    complete: int = 0
    ended: str = ""
    postgres: Postgres | None = None
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def planned_s(self) -> float:
        """How long all of it takes."""
        return self.rounds * len(self.strategies) * (self.terms.trial_s + AROUND_S)

    @property
    def took_s(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began


def run(sitting: Sitting, measure: Measure, console: Console) -> None:
    """All rounds. A strategy that fails has no further turns, and the others go on.

    Raises SetupError, KeyboardInterrupt; what was measured is kept.
    """
    order = Random(sitting.terms.seed)
    try:
        for number in range(1, sitting.rounds + 1):
            for name in order.sample(sorted(sitting.strategies), len(sitting.strategies)):
                if name not in sitting.failed:
                    _turn(sitting, name, number, measure, console)
            sitting.complete = number
    except BaseException:
        sitting.ended = "the sitting was broken off"
        raise


def _turn(sitting: Sitting, name: str, number: int, measure: Measure, console: Console) -> None:
    before = sitting.look()
    try:
        trial = measure(sitting.strategies[name], number)
    except RunFailed as failure:
        sitting.failed[name] = str(failure)
        console.print(Text(f"{sitting.took_s:5.0f} s  {name} failed: {failure}"), soft_wrap=True)
        return
    others = taken(before, sitting.look(), ())
    trial["lost_share"] = others.lost_share
    sitting.losses[name].append(others)
    sitting.taken[name].append(trial)
    load = trial["load"]
    wrong = ", ".join(f"{count} {what}" for what, count in judge.problems(trial) if count)
    told = f"{load['appends_per_s']:,.0f} appends/s, reader p99 {load['lag_p99_ms']:.1f} ms, {wrong or 'nothing lost'}"
    head = f"{sitting.took_s:5.0f} s  round {number} of {sitting.rounds}"
    console.print(Text(f"{head}: {name}: {told}"), soft_wrap=True)
