"""A sitting of drills: one after another, each as often as asked; what is done is kept, however it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.drill import document
from bench.drill.choice import Choice
from bench.drill.repeated import Drill, Strike, repetitions
from bench.drill.repetition import Repetition
from bench.ends.errors import SetupError
from bench.platforms.platform import LacksPower, LacksShards
from bench.report.words import spoken
from bench.trial.fault import NotApplicable
from bench.trial.result import target_of
from metrics.records.answers import drills as records
from metrics.records.sections.target import Target

BROKEN_OFF: Final = "the drills were broken off"


@dataclass
class Sitting:
    """The drills so far. `why` they ended before the last one, empty where they did not.

    `lacking`: faults that need a power that this platform has not, whatever the strategy.
    """

    choice: Choice
    clock: Callable[[], float] = time.monotonic
    done: list[records.Drill] = field(default_factory=list)
    not_applicable: list[records.NotApplicable] = field(default_factory=list)
    lacking: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    why: str = ""
    seen: Target | None = None
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()
        self.not_applicable += self.choice.not_applicable

    @property
    def took_s(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began

    def left_s(self, since: int) -> float:
        """What the drills from this one on will last, if each hits at once: by what the runs so far took."""
        left = [one for one in self.choice.drills[since:] if one.name not in self.lacking]
        if not self.runs:
            return sum(one.lasts_s for one in left)
        return sum(one.repeat for one in left) * self.took_s / self.runs

    def told(self) -> records.Drills:
        """The document so far."""
        target = self.seen or target_of(self.choice.target)
        return document.build(self.done, target, not_applicable=self.not_applicable, why=self.why, took_s=self.took_s)


def run(sitting: Sitting, strike: Strike, console: Console) -> None:
    """Run them all. Raises KeyboardInterrupt and SetupError.

    One that does not apply is passed over with a word, unless it was asked for by its name.
    """
    drills = sitting.choice.drills
    repeated = sum(one.repeat for one in drills)
    lasts = spoken(sitting.left_s(0))
    told = f"{repeated} repetitions of {len(drills)} drills, in about {lasts}, if all apply and each hits at once"
    console.print(Text(f"· {told}"), soft_wrap=True)
    for without in sitting.not_applicable:
        _say(console, without)
    sitting.why = BROKEN_OFF
    for place, one in enumerate(drills):
        if one.name in sitting.lacking:
            _pass_over(sitting, one, sitting.lacking[one.name], console)
            continue
        left = spoken(sitting.left_s(place))
        title = f"drill {place + 1} of {len(drills)}, {left} left: {one.name} ({one.settings.ordering})"
        console.print(Text(title, style="bold"), soft_wrap=True)
        try:
            _drill(sitting, one, strike)
        except (LacksPower, LacksShards, NotApplicable) as lack:
            if sitting.choice.named:
                sitting.why = str(lack)
                raise
            why = f"{lack.name} {lack.problem}"
            if not isinstance(lack, NotApplicable):
                sitting.lacking[one.name] = why
            _pass_over(sitting, one, why, console)
        except SetupError as error:
            sitting.why = str(error)
            raise
    sitting.why = ""


def _drill(sitting: Sitting, one: Drill, strike: Strike) -> None:
    """One drill; its repetitions are kept, also where a later one is broken off."""
    runs: list[Repetition] = []
    try:
        for found in repetitions(one, strike):
            runs.append(found)
            sitting.runs += 1
            sitting.seen = found.target or sitting.seen
    finally:
        if runs:
            told = document.drill(one.name, one.settings, one.repeat, runs)
            sitting.done.append({**told, "curve": document.curve(runs)})


def _pass_over(sitting: Sitting, one: Drill, why: str, console: Console) -> None:
    found: records.NotApplicable = {"name": one.name, "strategy": one.settings.strategy, "why": why}
    sitting.not_applicable.append(found)
    _say(console, found)


def _say(console: Console, one: records.NotApplicable) -> None:
    console.print(Text(f"{one['name']} ({one['strategy']}) does not apply: {one['why']}"), soft_wrap=True)
