"""A cell of the map: two strategies in pairs of trials at one cost of an event and one skew, and who is faster. Pure.

What is measured is the convergence speed: events a second that the projection works off after it stood still (HOLD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.bundle.reading import Read
from bench.compare.metrics import speed_resolution
from bench.compare.statistics.contrast import Contrast, Terms, contrasts
from bench.compare.statistics.pairs import Pair, Value
from metrics.records.answers.crossover import Cell as Record
from metrics.records.answers.crossover import Side
from metrics.records.result import Result

METRIC: Final = "convergence_speed"
CATCH_UP_S: Final = 6.0
"""So long may serial projection take for what is left: the rate of a cell is such that it needs no longer."""


@dataclass
class Cell:
    """One cell, with the trials of its pairs in the order of `names`, those of both sides.

    `why` is set when a trial gave no result, which ends the cell.
    """

    cost_ms: float
    skew: float
    rate: float
    names: tuple[str, str]
    pairs: list[tuple[Read, Read]] = field(default_factory=list)
    why: str = ""

    def contrast(self, seed: str, *, anyway: bool) -> Contrast:
        """The second strategy against the first. A doubtful trial forbids a verdict, unless it is taken `anyway`."""
        pairs = [Pair(speed(first.result), speed(second.result)) for first, second in self.pairs]
        doubts = [doubt for pair in self.pairs for trial in pair for doubt in trial.result.doubts]
        terms = Terms(no_verdict=doubts[0] if doubts and not anyway else "")
        return contrasts({METRIC: pairs}, terms, seed)[METRIC]

    def record(self, seed: str, *, anyway: bool) -> Record:
        """The cell as the document has it."""
        found = self.contrast(seed, anyway=anyway)
        return {
            "cost_ms": self.cost_ms,
            "skew": self.skew,
            "rate": self.rate,
            "faster": self._faster(found.answer),
            "hint": self._faster(found.hint),
            "ratio": found.ratio,
            "bound": found.bound,
            "low": found.low,
            "high": found.high,
            "covered": found.covered,
            "because": "; ".join(filter(None, (found.because, self.why))),
            "said": said(found, self.names),
            "pairs": [[_side(trial) for trial in pair] for pair in self.pairs],
        }

    def _faster(self, answer: str) -> str | None:
        return {"higher": self.names[1], "lower": self.names[0]}.get(answer)


def rate_of(cost_ms: float, most: float, *, write_ratio: float, before_s: float, held_s: float) -> float:
    """Requests a second of a cell: `most`, or as many as leave serial projection at most CATCH_UP_S of work.

    It works for `before_s` seconds, stands still for `held_s`, and then works off what is left of the writes.
    """
    if cost_ms == 0:
        return most
    writes = 1000 / cost_ms * (before_s + CATCH_UP_S) / (before_s + held_s)
    return min(most, float(f"{max(writes / write_ratio, 1):.3g}"))


def speed(result: Result) -> Value | None:
    """The convergence speed; None where nothing was left or is known, as where no hold came before.

    A run that timed out has a bound: all that was left when the time was over, worked off at once, were still no
    more than so many events in that time. Where the backlog at the end is not told it is no bound at all.
    """
    found = result.convergence
    if found.held_s <= 0:
        return None
    if result.sound:
        told = found.speed_events_per_s
        return None if told is None else Value(told, resolution=speed_resolution(result))
    left = result.backlog.final
    if result.verdict == "timed_out" and found.time_s > 0 and left > 0:
        return Value((found.events + left) / found.time_s, "at_most")
    return None


def said(found: Contrast, names: Sequence[str]) -> str:
    """`parallel 3.1 × (2.8 to 3.4)`, from the side of whoever is faster; or that there is no verdict, and a hint."""
    way = found.answer if found.answer != "no verdict" else found.hint
    if not way or found.ratio is None:
        return "no verdict"
    flip = way == "lower"
    ratio = 1 / found.ratio if flip else found.ratio
    ends = sorted(1 / end if flip else end for end in (found.low, found.high) if end is not None)
    told = f"{names[0] if flip else names[1]} {'' if found.bound == 'exact' else '≥ '}{times(ratio)} ×"
    told += f" ({times(ends[0])} to {times(ends[1])})" if len(ends) == 2 else ""
    return told if found.answer != "no verdict" else f"no verdict; a hint: {told}"


def times(ratio: float) -> str:
    """A ratio with two or three figures."""
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.2g}" if ratio < 9.95 else f"{ratio:.3g}"


def _side(trial: Read) -> Side:
    result = trial.result
    found = speed(result)
    return {
        "strategy": result.strategy,
        "run_id": result.run_id,
        "verdict": result.verdict,
        "speed_events_per_s": None if found is None else round(found.value, 1),
        "bound": "at_most" if found is not None and found.bound == "at_most" else "exact",
        "events": result.convergence.events,
        "doubts": list(result.doubts),
    }
