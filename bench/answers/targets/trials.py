"""Run the rounds: each target once a round, in an order drawn by lot; one that was wrong is not run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from rich.console import Console
from rich.text import Text

from bench.answers.targets.contenders import Contender, LeftOut
from bench.answers.trial import Measure
from bench.bundle.reading import Read
from bench.compare.metrics import values
from bench.compare.statistics.pairs import Value
from bench.drill.repeated import BESIDE_S
from bench.drill.repetition import Repetition
from bench.ends.errors import SetupError
from bench.report.words import WORDS, milliseconds, spoken, whole
from metrics.records.verification import Verification


@dataclass(frozen=True)
class Taken:
    """One trial, and the round that it is of, from 1 on."""

    contender: Contender
    round: int
    trial: Read
    values: dict[str, Value]


@dataclass
class Sitting:
    """The trials so far, in the order of time. `ended` says why there are fewer rounds than were planned.

    `refused`: targets that could not be started, and why. `kills`: of each target whose projector was killed after the
    rounds, the repetitions so far; `not_killed`: why there are none.
    """

    contenders: list[Contender]
    left_out: list[LeftOut]
    rounds: int
    clock: Callable[[], float] = time.monotonic
    taken: list[Taken] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    kills: dict[str, list[Repetition]] = field(default_factory=dict)
    not_killed: dict[str, str] = field(default_factory=dict)
    ended: str = ""
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def took_s(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began

    def of(self, contender: Contender) -> list[Taken]:
        """The trials of one target."""
        return [one for one in self.taken if one.contender is contender]

    def sound(self, contender: Contender) -> bool:
        """Whether nothing was wrong with it so far."""
        return contender.name not in self.refused and all(one.trial.result.sound for one in self.of(contender))

    def left(self, since: int) -> int:
        """The trials to come from a round on, if all goes well."""
        return (self.rounds - since) * sum(self.sound(contender) for contender in self.contenders)

    @property
    def kills_s(self) -> float:
        """What the kills to come last, if each hits at once and all goes well."""
        return sum(one.kill.lasts_s for one in self.contenders if one.kill is not None and self.sound(one))

    @property
    def complete(self) -> int:
        """Rounds of which every target that is still sound has its trial."""
        rounds = [[one.round for one in self.of(contender)] for contender in self.contenders if self.sound(contender)]
        return min((len(found) for found in rounds), default=0)


def run(sitting: Sitting, measure: Measure, order: Random, console: Console) -> None:
    """Run all rounds. Raises KeyboardInterrupt; what was measured is kept."""
    sitting.ended = "the sitting was broken off"
    planned_s = sum(contender.settings.timed_s + BESIDE_S for contender in sitting.contenders)
    total = sitting.left(0)
    names = ", ".join(contender.name for contender in sitting.contenders)
    kills = sum(contender.kill.repeat for contender in sitting.contenders if contender.kill is not None)
    then = f", then {kills} kill{'s' * (kills != 1)} of a projector" if kills else ""
    lasts = spoken(planned_s * sitting.rounds + sitting.kills_s)
    told = f"{total} trials, {sitting.rounds} of each of {names}{then}, in about {lasts}"
    console.print(Text(f"· {told}"), soft_wrap=True)
    for number in range(1, sitting.rounds + 1):
        drawn = order.sample(sitting.contenders, len(sitting.contenders))
        turns = [contender for contender in drawn if sitting.sound(contender)]
        for place, contender in enumerate(turns):
            left = len(turns) - place + sitting.left(number)
            each_s = sitting.took_s / len(sitting.taken) if sitting.taken else planned_s / len(sitting.contenders)
            title = (
                f"round {number} of {sitting.rounds}, {spoken(left * each_s + sitting.kills_s)} left: {contender.name}"
            )
            _turn(sitting, contender, number, title, measure, console)
    sitting.ended = ""


def _turn(sitting: Sitting, contender: Contender, number: int, title: str, measure: Measure, console: Console) -> None:
    """One trial. A target that can not be started is told, and the others go on."""
    try:
        found = measure(contender.settings, title)
    except SetupError as error:
        sitting.refused[contender.name] = str(error)
        console.print(Text(f"{title}  not started: {error}"), soft_wrap=True)
        return
    measured = values(found.result, found.verification or Verification()) if found.result.sound else {}
    sitting.taken.append(Taken(contender, number, found, measured))
    console.print(Text(f"{title}  {_line(found)}"), soft_wrap=True)


def _line(trial: Read) -> str:
    result = trial.result
    if not result.sound:
        return f"{WORDS[result.verdict]}: {result.why}; not run again"
    visible = f", visible after {milliseconds(result.visibility_ms.p50)} ms (p50)" * bool(result.visibility_ms.samples)
    return f"{whole(result.throughput.actions_per_s)} actions/s{visible}"


def worst(trials: Sequence[Taken]) -> Taken | None:
    """The first trial that is not sound."""
    return next((one for one in trials if not one.trial.result.sound), None)
