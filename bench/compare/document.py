"""`comparison.json`: what was compared, every trial's values, and each metric's contrasts with the first arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from bench.compare.likeness import conditions, differing
from bench.compare.loaded import Loaded, measured
from bench.compare.metrics import METRICS, Metric
from bench.compare.statistics import Contrast, Value, contrast, median
from bench.compare.trials import Sitting
from metrics.records import comparison as records

FEW: Final = 100


def build(comparison_id: str, sitting: Sitting, doubts: Sequence[str], seed: int) -> records.Comparison:
    """The document. Without numbers when the sitting came to nothing. `seed` makes the intervals repeatable."""
    firsts = [arm[0] for arm in sitting.arms if arm]
    found = [conditions(trial) for trial in firsts]
    void = bool(sitting.why)
    return {
        "schema": records.SCHEMA,
        "comparison_id": comparison_id,
        "scenario": firsts[0].result.scenario if firsts else "",
        "sound": not void and all(trial.result.sound for _, trial in sitting.taken),
        "why": sitting.why,
        "seed": seed,
        "arms": sitting.names,
        "differs": {name: [_told(each.get(name)) for each in found] for name in differing(found)},
        "doubts": list(doubts),
        "notes": _notes(sitting),
        "settings": firsts[0].result.settings if firsts else {},
        "machine": dict(firsts[0].machine) if firsts else {},
        "postgres": dict(firsts[0].postgres) if firsts else {},
        "versions": dict(firsts[0].versions) if firsts else {},
        "trials": [_trial(name, trial, void=void) for name, trial in sitting.taken],
        "metrics": [] if void else [_metric(metric, sitting, seed) for metric in METRICS],
    }


def _told(value: Any) -> str:
    return "unset" if value is None else str(value)


def _notes(sitting: Sitting) -> list[str]:
    every = [trial for _, trial in sitting.taken]
    notes = [f"{trial.result.run_id}: {trial.cut}" for trial in every if trial.cut]
    if any(trial.result.generator.saturated for trial in every):
        notes.append("the load generator was saturated in a trial: its throughput is a lower bound of the server's")
    if any(trial.result.settings.get("RATE") is None for trial in every):
        notes.append("closed loop: users and their pauses bound the throughput, of a fast system above all")
    if any(trial.result.settings.get("DATABASE_URL") != "embedded" for trial in every):
        notes.append("the trials are not on stores of their own: one that they share grows from trial to trial")
    if any(trial.result.sound and trial.result.convergence.events < FEW for trial in every):
        notes.append(f"a trial with fewer than {FEW} events left to project kept up: its convergence speed says little")
    if cut := sum(trial.result.verdict == "timed_out" for trial in every):
        notes.append(
            f"{cut} trial(s) timed out: their convergence time is a lower bound, their other numbers are left out"
        )
    return notes


def _trial(name: str, trial: Loaded, *, void: bool) -> records.Trial:
    result = trial.result
    return {
        "arm": name,
        "run_id": result.run_id,
        "trial": result.trial,
        "verdict": result.verdict,
        "why": result.why,
        "faults": result.correctness.faults,
        "values": {}
        if void
        else {metric: {"value": value.value, "bound": value.bound} for metric, value in trial.values.items()},
        "series": {} if void else dict(trial.series),
    }


def _metric(metric: Metric, sitting: Sitting, seed: int) -> records.Metric:
    of_arms = [measured(arm, metric.name) for arm in sitting.arms]
    return {
        "name": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "better": metric.better,
        "lead": metric.lead,
        "arms": [_spread(name, found) for name, found in zip(sitting.names, of_arms, strict=True)],
        "contrasts": [
            _contrast(name, sitting.names[0], contrast(of_arms[0], found, f"{seed}/{metric.name}"))
            for name, found in zip(sitting.names[1:], of_arms[1:], strict=True)
        ],
    }


def _contrast(name: str, base: str, found: Contrast) -> records.Contrast:
    return cast(records.Contrast, {"arm": name, "base": base, **found.to_dict()})


def _spread(name: str, found: Sequence[Value]) -> records.Spread:
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
