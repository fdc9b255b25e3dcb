"""Run the rungs of each search, one trial after another, and keep what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.text import Text

from bench.answers.budget import Budget
from bench.answers.capacity import words
from bench.answers.capacity.objective import Judged, judge
from bench.answers.capacity.search import Rung, Search
from bench.answers.trial import Measure
from bench.bundle.reading import Read
from bench.preflight.settings import Settings
from metrics.records.answers import capacity as records

LEAST: float = 1.0
MOST: float = 1_000_000.0
"""The bounds of RATE."""


@dataclass
class Tried:
    """One search and what its rungs measured."""

    settings: Settings
    search: Search
    rungs: list[records.Rung] = field(default_factory=list)


@dataclass
class Sitting:
    """All searches of one sitting, in their order; those that were not begun have no rungs."""

    visible_p99_ms: float
    tried: list[Tried]
    budget: Budget
    anyway: bool = False
    why: str = ""
    first: Read | None = None


def run(sitting: Sitting, measure: Measure, console: Console) -> None:
    """Carry the searches out. One starts where the one before has ended. A run without figures ends all of them.

    Raises SetupError, KeyboardInterrupt; what was measured until then is kept.
    """
    for number, tried in enumerate(sitting.tried):
        try:
            _search(sitting, tried, measure, console, sharers=len(sitting.tried) - number)
        except BaseException:
            for unfinished in sitting.tried[number:]:
                unfinished.search.interrupt()
            sitting.why = "the sitting was broken off"
            raise
        answer = tried.search.answer()
        console.print(Text(f"{_name(tried)}: {words.sentence(answer)}", style="bold"), soft_wrap=True)
        if answer.end == "void":
            sitting.why = tried.rungs[-1]["reasons"][0]
            return
        for later in sitting.tried[number + 1 : number + 2]:
            later.search.start = answer.holds or tried.search.least


def _search(sitting: Sitting, tried: Tried, measure: Measure, console: Console, *, sharers: int) -> None:
    until = sitting.budget.share(sharers)
    while (rung := tried.search.next(sitting.budget.trials(until))) is not None:
        title = f"{_name(tried)}: {words.rate(rung.rate)} {records.UNIT} ({rung.purpose})"
        with sitting.budget.trial():
            # A seed of its own: a trial that repeats another's arrivals would confirm less.
            seed = tried.settings.seed + len(sitting.budget.costs)
            bundle = measure(replace(tried.settings, rate=rung.rate, seed=seed), title)
        sitting.first = sitting.first or bundle
        judged = judge(bundle.result, bundle.samples.records, sitting.visible_p99_ms, anyway=sitting.anyway)
        tried.search.take(rung, judged.outcome)
        tried.rungs.append(_recorded(rung, judged, bundle, sitting.budget.costs[-1]))
        console.print(Text(_line(tried, sitting.budget)), soft_wrap=True)


def _line(tried: Tried, budget: Budget) -> str:
    rung = tried.rungs[-1]
    head = (
        f"{budget.took_s:5.0f} s  {_name(tried):<30} {words.rate(rung['rate']):>8} {records.UNIT}  {rung['purpose']:<8}"
    )
    return f"{head} {words.told(rung)} [{words.figures(rung)}]"


def _name(tried: Tried) -> str:
    return f"{tried.settings.ordering}, {words.replicas(tried.settings.projectors)}"


def _recorded(rung: Rung, judged: Judged, bundle: Read, seconds: float) -> records.Rung:
    result, grows = bundle.result, judged.slope
    visible = result.visibility_ms
    return {
        "rate": rung.rate,
        "purpose": rung.purpose,
        "outcome": judged.outcome,
        "reasons": list(judged.reasons),
        "doubts": list(result.doubts),
        "run_id": result.run_id,
        "verdict": result.verdict,
        "seconds": round(seconds, 1),
        "requests_per_s": round(result.generator.achieved_rate, 1),
        "actions_per_s": round(result.throughput.actions_per_s, 1),
        "errors": result.throughput.errors,
        "visible_p99_ms": visible.p99 if visible.samples else None,
        "visible_samples": visible.samples,
        "slope": None if grows is None else round(grows.value, 2),
        "slope_low": None if grows is None else round(grows.low, 2),
        "slope_high": None if grows is None else round(grows.high, 2),
        "cpu_percent": round(result.generator.cpu_percent, 1),
    }
