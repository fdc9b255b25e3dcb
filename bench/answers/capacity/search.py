"""Search for the highest rate at which an objective holds: a state machine over outcomes, which runs and times nothing.

1. **Ladder**: from the start upwards by half, until a rung fails twice; downwards while none has held.
2. **Bisect**, on the logarithmic scale, until the rate that fails is within 10 % of the one that holds (± 5 %).
3. **Confirm** at the rate that holds, three times, in turns with two trials 10 % **beyond** it, which must fail.

A failure is tried again: a rung fails when two trials did before two held; one that holds at once, holds. A failure
among the confirmations is one at once: the search goes on below. A trial that holds beyond moves the end that fails up
by 10 %. A trial at which the generator was at its end says nothing of the system: twice, and the rate is where
knowledge ends. `next` is told how many trials still fit, and leaves out bisections so that confirmations fit.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from bench.answers.capacity.objective import Outcome

STEP: Final = 1.5
CLOSE: Final = 1.1
CONFIRMATIONS: Final = 3
CHECKS: Final = 2
BEYOND_STEPS: Final = 4
"""10 % steps beyond the rate that holds, at which two failures are looked for: the last is 46 % above it."""
DOUBTS_MOST: Final = 3
ENOUGH: Final = 2
"""Of equal outcomes, against one of another kind."""

Purpose = Literal["ladder", "bisect", "confirm", "beyond"]
Standing = Literal["holds", "fails", "unsound", "open"]
End = Literal["found", "budget", "generator", "most", "least", "doubts", "void", "interrupted"]


@dataclass(frozen=True)
class Rung:
    """A rate to be tried, in requests a second, and what for."""

    rate: float
    purpose: Purpose


@dataclass(frozen=True)
class Answer:
    """The interval: it holds at `holds` and fails at `fails`; None where no rate was found that does.

    Between the two, trials may have come out either way. No trial held at `fails` or above it.
    `confirmed` and `checked` count the confirmations at one end and the failures beyond it. `end` says what ended the
    search; `found`: nothing is left to do.
    """

    holds: float | None
    fails: float | None
    confirmed: int
    checked: int
    end: End


@dataclass
class Search:
    """One search. Ask `next`, carry the rung out, tell `take`; `answer` may be asked at any time."""

    start: float
    least: float
    most: float
    tried: list[tuple[Rung, Outcome]] = field(default_factory=list)
    end: End | None = None

    def next(self, left: int) -> Rung | None:
        """The next rung, None at the end. `left`: so many trials still fit."""
        rung = None if self.end else self._next(left)
        if rung is not None and left <= 0:
            self.end, rung = "budget", None
        return rung

    def take(self, rung: Rung, outcome: Outcome) -> None:
        """What came of a rung."""
        self.tried.append((rung, outcome))
        last = [found for _, found in self.tried[-DOUBTS_MOST:]]
        if outcome == "void":
            self.end = "void"
        elif last == ["doubtful"] * DOUBTS_MOST:
            self.end = "doubts"

    def interrupt(self) -> None:
        """The search was broken off."""
        self.end = "interrupted"

    def answer(self) -> Answer:
        """What is known."""
        holds = self._holds()
        if holds is None:
            return Answer(None, self._fails_above(0.0), 0, 0, self.end or "budget")
        beyond = self._beyond(holds)
        checked = 0 if beyond is None else min(self._count(beyond, "beyond")["fails"], CHECKS)
        held = self._highest_held()
        fails = beyond if checked and beyond and beyond > held else self._fails_above(held)
        confirmed = min(self._count(holds, "confirm")["holds"], CONFIRMATIONS)
        return Answer(holds, fails, confirmed, checked, self.end or "budget")

    def _next(self, left: int) -> Rung | None:
        if (again := self._undecided()) is not None:
            return again
        holds, top = self._holds(), self._top()
        if holds is None:
            return self._below()
        spare = left - CONFIRMATIONS - (CHECKS if self._fails_above(0.0) is not None else 0)
        if top is None and spare >= ENOUGH and holds < self.most:
            return Rung(_rounded(min(holds * STEP, self.most)), "ladder")
        if top is not None and spare >= ENOUGH and top / holds > CLOSE:
            between = _rounded(math.sqrt(holds * top))
            if holds < between < top:
                return Rung(between, "bisect")
        if (rung := self._confirm(holds)) is None:
            self._finish()
        return rung

    def _undecided(self) -> Rung | None:
        """The last rung once more, where its outcome was not clear."""
        if not self.tried:
            return Rung(_rounded(self.start), "ladder")
        rung, outcome = self.tried[-1]
        if outcome == "doubtful":
            return rung
        open_still = rung.purpose in ("ladder", "bisect") and self._standing(rung.rate) == "open"
        return rung if open_still else None

    def _below(self) -> Rung | None:
        """Below all that was tried; the end where that is below the least rate."""
        lowest = min(rung.rate for rung, _ in self.tried)
        if lowest <= self.least:
            self.end = "least" if self._fails_above(0.0) is not None else "generator"
            return None
        return Rung(_rounded(max(lowest / STEP, self.least)), "ladder")

    def _confirm(self, holds: float) -> Rung | None:
        """Confirmations and checks in turns, so that both ends have some when the time is short."""
        confirmed, beyond = self._count(holds, "confirm")["holds"], self._beyond(holds)
        checked = CHECKS if beyond is None else self._count(beyond, "beyond")["fails"]
        if confirmed < CONFIRMATIONS and (confirmed <= checked or checked >= CHECKS):
            return Rung(holds, "confirm")
        return None if beyond is None or checked >= CHECKS else Rung(beyond, "beyond")

    def _finish(self) -> None:
        """Say how far the search has come: nothing is left to be tried."""
        holds = self._holds()
        assert holds is not None
        if self._fails_above(holds) is None:
            unsound = any(self._standing(rate) == "unsound" for rate in self._rates())
            self.end = "generator" if unsound else "most" if holds >= self.most else "budget"
        else:
            beyond, top = self._beyond(holds), self._top()
            checked = beyond is not None and self._count(beyond, "beyond")["fails"] >= CHECKS
            self.end = "found" if checked else "generator" if top is not None and self._is_unsound(top) else "budget"

    def _holds(self) -> float | None:
        """The highest rate that holds, below all that fail."""
        top = self._top() or math.inf
        return max((rate for rate in self._rates() if rate < top and self._standing(rate) == "holds"), default=None)

    def _top(self) -> float | None:
        """The lowest rate that does not hold, whether it fails or the generator was at its end there."""
        return min((rate for rate in self._rates() if self._standing(rate) in ("fails", "unsound")), default=None)

    def _fails_above(self, rate: float) -> float | None:
        """The lowest rate above this one that fails."""
        return min((each for each in self._rates() if each > rate and self._standing(each) == "fails"), default=None)

    def _highest_held(self) -> float:
        """The highest rate at which any trial held: below it nothing is told to fail, whatever else came of it."""
        return max(rung.rate for rung, outcome in self.tried if outcome == "holds")

    def _beyond(self, holds: float) -> float | None:
        """Where to look for failures beyond: 10 % above, or another step further for each that held.

        Where the generator is at its end there, at what has failed below that. None where nothing has failed, or
        where all steps held.
        """
        failed = self._fails_above(holds)
        for step in range(1, BEYOND_STEPS + 1) if failed is not None else ():
            rate = _rounded(holds * CLOSE**step)
            if rate > self.most or self._is_unsound(rate):
                return failed
            if not self._count(rate, "beyond")["holds"]:
                return rate
        return None

    def _is_unsound(self, rate: float) -> bool:
        """Whether the generator was at its end at this rate or a lower one."""
        return any(each <= rate and self._standing(each) == "unsound" for each in self._rates())

    def _standing(self, rate: float) -> Standing:
        confirming, every = self._count(rate, "confirm"), self._count(rate)
        if confirming["fails"] or every["fails"] >= ENOUGH:
            return "fails"
        if confirming["unsound"] >= ENOUGH:
            return "unsound"
        if every["holds"] >= ENOUGH or (every["holds"] and not every["fails"]):
            return "holds"
        return "unsound" if every["unsound"] >= ENOUGH else "open"

    def _count(self, rate: float, purpose: Purpose | None = None) -> Counter[Outcome]:
        return Counter(outcome for rung, outcome in self.tried if rung.rate == rate and purpose in (None, rung.purpose))

    def _rates(self) -> set[float]:
        return {rung.rate for rung, _ in self.tried}


def _rounded(rate: float) -> float:
    """A rate to three significant digits, so that what is asked for is what is printed."""
    return float(f"{rate:.3g}")
