"""Choice among measured curves: the fewest projectors that were shown to hold, or the run that is missing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.answers.capacity.search import CONFIRMATIONS
from bench.answers.capacity.words import name, rate, replicas
from metrics.records.answers.capacity import UNIT, Capacity, Curve
from settings.scenarios.reader import DEFAULT
from settings.strategies import IN_PARALLEL

DOUBLED_MOST: Final = 16
"""More projectors than that are not proposed on one machine."""


@dataclass(frozen=True)
class Asked:
    """What is wanted. `settings` are the workload that a measurement must have had: a variable that is unset means its
    default. `given` are those that the user has set, for the command that measures what is missing.
    """

    rate: float
    visible_p99_ms: float
    settings: Mapping[str, Any]
    scenario: str = DEFAULT
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A curve with the document that it is from."""

    document: Capacity
    curve: Curve

    @property
    def confirmed(self) -> bool:
        """Whether its rate was confirmed three times, whatever became of the searches after it."""
        return self.curve["holds"] is not None and self.curve["confirmed"] >= CONFIRMATIONS

    def holds(self, asked: Asked) -> bool:
        """Whether it shows what is asked for: its rate is as high, confirmed, and under an objective as strict."""
        reached = (self.curve["holds"] or 0.0) >= asked.rate
        return self.confirmed and reached and self.document["visible_p99_ms"] <= asked.visible_p99_ms

    @property
    def to_spare(self) -> float:
        """Its rate that holds."""
        return self.curve["holds"] or 0.0


@dataclass(frozen=True)
class Missing:
    """Why nothing can be advised, and the arguments of `task bench:capacity` that would tell."""

    why: str
    arguments: str


def choose(asked: Asked, curves: Sequence[Shown]) -> list[Shown]:
    """Those that show it, the best first: the fewest projectors, then the most to spare, then the newest."""
    fitting = [shown for shown in curves if shown.holds(asked) and matches(shown.document, asked)]
    newest_first = sorted(fitting, key=lambda shown: shown.document["capacity_id"], reverse=True)
    return sorted(newest_first, key=lambda shown: (shown.curve["projectors"], -shown.to_spare))


def matches(document: Capacity, asked: Asked) -> bool:
    """Whether it was measured with this workload."""
    alike = all(document["settings"].get(name) == value for name, value in asked.settings.items())
    return alike and document["scenario"] == asked.scenario


def faulty(document: Capacity) -> bool:
    """Whether an oracle found a fault in any trial: then no rate of it is worth anything."""
    return any(rung["verdict"] in ("diverged", "blocked") for curve in document["curves"] for rung in curve["rungs"])


def doubted(curve: Curve) -> bool:
    """Whether a trial was doubtful and taken all the same (--anyway)."""
    return any(rung["doubts"] and rung["outcome"] != "doubtful" for rung in curve["rungs"])


def missing(asked: Asked, curves: Sequence[Shown]) -> Missing:
    """What must be measured, where no curve shows it."""
    objective = f"--visible-p99 {asked.visible_p99_ms:g}ms"
    start = f"--start {asked.rate:g}{'' if asked.scenario == DEFAULT else f' --scenario {asked.scenario}'}"
    own = [shown for shown in curves if matches(shown.document, asked)]
    if not own:
        with_these = " with these settings" if curves else ""
        return Missing(f"no capacity was measured{with_these} on this machine", f"{objective} {start}")
    strict = [shown for shown in own if shown.document["visible_p99_ms"] <= asked.visible_p99_ms]
    if not strict:
        told = min(shown.document["visible_p99_ms"] for shown in own)
        return Missing(f"what was measured has write to visible p99 ≤ {told:g} ms or more", f"{objective} {start}")
    # Of several runs of one curve, the one that holds the most.
    best = max(strict, key=lambda shown: shown.to_spare)
    return _beyond(asked, strict, best, f"{objective} {start}")


def _beyond(asked: Asked, strict: Sequence[Shown], best: Shown, arguments: str) -> Missing:
    """No curve reaches the rate: more projectors, another strategy, or a longer look at the best one."""
    reached = f"the highest rate shown is {rate(best.to_spare)} {UNIT} ({name(best.curve)})"
    if best.to_spare >= asked.rate:
        said = f"{reached}, and it was not confirmed {CONFIRMATIONS} times"
        return Missing(said, f"{arguments} {_these(best.curve)} --budget 30m")
    fails = best.curve["fails"]
    if fails is None or fails > asked.rate:
        why = f"{reached}; beyond it nothing was shown: {best.curve['said']}"
        return Missing(why, f"{arguments} {_these(best.curve)} --budget 30m")
    own = [shown.curve for shown in strict if shown.curve["strategy"] == best.curve["strategy"]]
    most = max(curve["projectors"] for curve in own)
    if best.curve["projectors"] == most and most * 2 <= DOUBLED_MOST:
        why = f"{reached}, and fails at {rate(fails)}; more than {replicas(most)} were not measured"
        return Missing(why, f"{arguments} --strategies {best.curve['strategy']} --projectors {most * 2}")
    others = {shown.curve["strategy"] for shown in strict}
    strategies = [each for each in (IN_PARALLEL, "stream-locks") if each not in others]
    why = f"{reached}, and more projectors did not hold more"
    return Missing(why, f"{arguments} --strategies {strategies[0]}" if strategies else "")


def _these(curve: Curve) -> str:
    return f"--strategies {curve['strategy']} --projectors {curve['projectors']}"
