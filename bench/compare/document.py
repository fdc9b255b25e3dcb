"""`comparison.json`: what was compared, every trial's values, and each metric's contrasts with the first arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from bench.compare.likeness import conditions, differing, in_doubt
from bench.compare.loaded import Loaded
from bench.compare.metrics import BOUND, METRICS, Metric
from bench.compare.statistics.contrast import Contrast, Terms, contrasts, error_rate
from bench.compare.statistics.pairs import Value, median
from bench.compare.trials import Sitting, Taken
from metrics.records import comparison as records
from metrics.records.result import Result

FEW: Final = 100


def build(comparison_id: str, sitting: Sitting, doubts: Sequence[str], seed: int) -> records.Comparison:
    """The document. Without numbers when the sitting came to nothing. `seed` makes the intervals repeatable.

    `doubts` are what was let pass; what speaks against the trials themselves is found here, and forbids every verdict.
    """
    arms = [sitting.arm(number) for number in range(len(sitting.names))]
    firsts = [arm[0] for arm in arms if arm]
    found = [conditions(trial) for trial in firsts]
    why = sitting.why or ("" if sitting.complete else sitting.ended)
    against = in_doubt(arms)
    terms = Terms(
        len(sitting.names) - 1, only_hints=_early(sitting), no_verdict="its trials are in doubt" if against else ""
    )
    return {
        "schema": records.SCHEMA,
        "comparison_id": comparison_id,
        "scenario": firsts[0].result.scenario if firsts else "",
        "sound": not why and all(one.trial.result.sound for one in sitting.taken),
        "why": why,
        "no_verdict": _first(against) or terms.only_hints,
        "seed": seed,
        "pairs": {
            "planned": sitting.planned,
            "complete": len(sitting.complete),
            "needed": terms.fewest,
            "drawn": sitting.drawn,
            "error_rate": error_rate(max(terms.fewest, len(sitting.complete)), terms.contrasts),
        },
        "arms": sitting.names,
        "differs": {name: [_told(each.get(name)) for each in found] for name in differing(found)},
        "doubts": [*doubts, *against],
        "notes": _notes(sitting),
        "settings": firsts[0].result.settings if firsts else {},
        "machine": dict(firsts[0].machine) if firsts else {},
        "postgres": dict(firsts[0].postgres) if firsts else {},
        "versions": dict(firsts[0].versions) if firsts else {},
        "trials": [_trial(sitting.names[one.arm], one, void=bool(why)) for one in sitting.taken],
        "metrics": [] if why else _metrics(sitting, terms, seed),
    }


def _first(doubts: Sequence[str]) -> str:
    """One doubt, and how many more there are: all of them are told one by one."""
    more = f" (and {len(doubts) - 1} more)" if len(doubts) > 1 else ""
    return f"{doubts[0]}{more}" if doubts else ""


def _early(sitting: Sitting) -> str:
    """Pairs are counted before the start: who may stop when the figures please finds what was never there."""
    if not sitting.ended:
        return ""
    return f"{sitting.ended} after {len(sitting.complete)} of {sitting.planned} pairs: a hint at most"


def _told(value: Any) -> str:
    return "unset" if value is None else str(value)


def _notes(sitting: Sitting) -> list[str]:
    every = [one.trial for one in sitting.taken]
    notes = [f"{trial.result.run_id}: {trial.cut}" for trial in every if trial.cut]
    if not sitting.drawn:
        notes.append("the order within each pair is as it was: what drifted over the sitting may be in the ratios")
    if any(trial.result.generator.saturated for trial in every):
        notes.append("the load generator was saturated in a trial: its throughput is a lower bound of the server's")
    if any(trial.result.settings.get("RATE") is None for trial in every):
        notes.append("closed loop: users and their pauses bound the throughput, of a fast system above all")
    if any(trial.result.sound and trial.result.convergence.until == "seen" for trial in every):
        notes.append(BOUND)
    if any(trial.result.settings.get("DATABASE_URL") != "embedded" for trial in every):
        notes.append("the trials are not on stores of their own: one that they share grows from trial to trial")
    if any(trial.result.sound and trial.result.convergence.events < FEW for trial in every):
        notes.append(f"a trial with fewer than {FEW} events left to project kept up: its convergence speed says little")
    if cut := sum(trial.result.verdict == "timed_out" for trial in every):
        notes.append(
            f"{cut} trial(s) timed out: their convergence time is a lower bound, their other numbers are left out, "
            "and what is left of those is a hint at most"
        )
    if untold := [trial.result.neighbours for trial in every if not _neighbours_told(trial.result)]:
        reason = next((f" ({found.reason})" for found in untold if found and found.reason), "")
        notes.append(
            f"of {len(untold)} trial(s) it is not told what other processes took of the machine{reason}: "
            "whether they made a difference is not known"
        )
    return notes


def _neighbours_told(result: Result) -> bool:
    return result.neighbours is not None and result.neighbours.cpu_share is not None


def _trial(name: str, taken: Taken, *, void: bool) -> records.Trial:
    result, trial = taken.trial.result, taken.trial
    return {
        "arm": name,
        "run_id": result.run_id,
        "pair": taken.pair,
        "verdict": result.verdict,
        "why": result.why,
        "faults": result.correctness.faults,
        "doubts": list(result.doubts),
        "values": {}
        if void
        else {metric: {"value": value.value, "bound": value.bound} for metric, value in trial.values.items()},
        "series": {} if void else dict(trial.series),
    }


def _metrics(sitting: Sitting, terms: Terms, seed: int) -> list[records.Metric]:
    others = range(1, len(sitting.names))
    told = [
        contrasts({metric.name: sitting.pairs(arm, metric.name) for metric in METRICS}, terms, f"{seed}/{arm}")
        for arm in others
    ]
    return [_metric(metric, sitting, [table[metric.name] for table in told]) for metric in METRICS]


def _metric(metric: Metric, sitting: Sitting, told: Sequence[Contrast]) -> records.Metric:
    names = sitting.names
    return {
        "name": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "better": metric.better,
        "lead": metric.lead,
        "arms": [spread(name, _values(sitting.arm(arm), metric.name)) for arm, name in enumerate(names)],
        "contrasts": [
            cast(records.Contrast, {"arm": name, "base": names[0], **found.to_dict()})
            for name, found in zip(names[1:], told, strict=True)
        ],
    }


def _values(trials: Sequence[Loaded], metric: str) -> list[Value]:
    return [trial.values[metric] for trial in trials if metric in trial.values]


def spread(name: str, found: Sequence[Value]) -> records.Spread:
    """Median and range of one arm's values; None where there are none."""
    if not found:
        return {"arm": name, "trials": 0, "median": None, "bound": "exact", "min": None, "max": None}
    numbers, middle = [value.value for value in found], median(found)
    return {
        "arm": name,
        "trials": len(found),
        "median": middle.value,
        "bound": middle.bound,
        "min": min(numbers),
        "max": max(numbers),
    }
