"""`targets.json`: a row for each target, its figures over the rounds, and their contrasts with the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from bench.answers.targets import kills
from bench.answers.targets.contenders import Contender, LeftOut
from bench.answers.targets.trials import Sitting, Taken, worst
from bench.bundle.figures import figure
from bench.compare.document import spread
from bench.compare.metrics import BOUND, METRICS, Metric
from bench.compare.statistics.contrast import Contrast, Terms, contrasts, error_rate
from bench.compare.statistics.pairs import Pair
from metrics.records import comparison
from metrics.records.answers import targets as records
from metrics.records.result import Result
from settings.catalogue.load import TARGET
from settings.catalogue.projection import STRATEGY
from settings.targets import reader

NAMES: Final = (
    *("actions_per_s", "action_p99_ms", "visible_p50_ms", "visible_p99_ms"),
    *("convergence_speed", "system_cpu_us_per_action", "wal_bytes_per_action"),
)
COLUMNS: Final = tuple(metric for name in NAMES for metric in METRICS if metric.name == name)
"""The columns of the table; a comparison of two has all figures."""

LEFT_OUT: Final = (TARGET.name, STRATEGY.name)
"""Settings that are of a target, and told in its row."""

APART: Final = "its class is not the base's: another question is answered"
REFERENCE: Final = "reference, nothing is kept"


def build(targets_id: str, sitting: Sitting) -> records.Targets:
    """The document of a sitting that has at least one trial."""
    first, base = sitting.taken[0].trial, sitting.contenders[0]
    doubts = [f"{one.trial.result.run_id}: {doubt}" for one in sitting.taken for doubt in one.trial.result.doubts]
    terms = Terms(
        max(1, len(sitting.contenders) - 1),
        only_hints=f"{sitting.ended} after {sitting.complete} of {sitting.rounds} rounds"
        if sitting.ended and sitting.complete < sitting.rounds
        else "",
        no_verdict="its trials are in doubt" if doubts else "",
    )
    seed = base.settings.seed
    rows = [_row(sitting, contender, base, terms, seed) for contender in sitting.contenders]
    settings = base.settings.recorded()
    return {
        "schema": records.SCHEMA,
        "targets_id": targets_id,
        "scenario": base.settings.scenario.name,
        "sound": not sitting.ended and all(row["verdict"] == "converged" and not kills.mark(row) for row in rows),
        "why": sitting.ended,
        "no_verdict": terms.no_verdict or terms.only_hints,
        "base": base.name,
        "rounds": sitting.rounds,
        "complete": sitting.complete,
        "faults": max((one.kill.repeat for one in sitting.contenders if one.kill is not None), default=0),
        "needed": terms.fewest,
        "error_rate": error_rate(max(terms.fewest, sitting.complete), terms.contrasts),
        "seed": seed,
        "took_s": round(sitting.took_s, 1),
        "settings": {name: value for name, value in settings.items() if name not in LEFT_OUT},
        "machine": dict(first.documents["machine"]),
        "postgres": dict(_postgres(sitting)),
        "versions": dict(first.documents["versions"]),
        "doubts": doubts,
        "notes": _notes(sitting),
        "figures": [
            {"name": each.name, "label": each.label, "unit": each.unit, "better": each.better} for each in COLUMNS
        ],
        "rows": rows,
        "left_out": left_out(sitting.left_out),
    }


def left_out(found: Sequence[LeftOut]) -> list[records.LeftOut]:
    """The targets that are not measured, and why."""
    return [{"name": one.name, "why": one.why} for one in found]


def _postgres(sitting: Sitting) -> Mapping[str, Any]:
    """Of the first trial that had one: all have the same."""
    return next((found for one in sitting.taken if (found := one.trial.documents["postgres"])), {})


def _row(sitting: Sitting, contender: Contender, base: Contender, terms: Terms, seed: int) -> records.Row:
    trials, manifest = sitting.of(contender), contender.manifest
    bad = worst(trials)
    verdict, why = _verdict(sitting, contender, bad)
    told: dict[str, Contrast] = {}
    if contender is not base and sitting.sound(contender) and sitting.sound(base):
        pairs = {metric.name: _pairs(sitting, contender, base, metric) for metric in COLUMNS}
        apart = _kind(contender) != _kind(base) or manifest.reference
        told = contrasts(pairs, replace(terms, no_verdict=APART) if apart else terms, f"{seed}/{contender.name}")
    return {
        "name": contender.name,
        "title": manifest.title,
        "version": manifest.version,
        "class": manifest.class_,
        "store": manifest.store,
        "proof": trials[0].trial.result.proof if trials else "",
        "capabilities": list(manifest.capabilities),
        "durable": manifest.durable,
        "reference": manifest.reference,
        "path": reader.own_path(manifest),
        "mode": contender.settings.mode,
        "strategy": contender.settings.strategy,
        "durable_checked": any(one.trial.documents["postgres"] for one in trials),
        "know": list(manifest.know),
        "verdict": verdict,
        "why": why,
        "figures": {}
        if verdict != "converged"
        else {metric.name: _figure(contender, base, trials, metric, told.get(metric.name)) for metric in COLUMNS},
        "trials": [_trial(one) for one in trials],
        **_killed(sitting, contender),
    }


def _killed(sitting: Sitting, contender: Contender) -> records.Killed:
    found = kills.drilled(sitting, contender)
    told: records.Killed = {} if found is None else {"kill": found}
    if found is None and (why := sitting.not_killed.get(contender.name)):
        told["not_killed"] = why
    return told


def _kind(contender: Contender) -> tuple[str, bool]:
    return contender.manifest.class_, contender.manifest.reference


def ranked(document: records.Targets, row: records.Row) -> bool:
    """Whether a row is ranked beside the base: both of one class, and neither a reference."""
    base = next((each for each in document["rows"] if each["name"] == document["base"]), None)
    if base is None or base.get("reference") or row.get("reference"):
        return False
    return base["class"] == row["class"]


def kind(row: records.Row) -> str:
    """What a row is ranked among: its class, or that it is a reference, which is not."""
    return REFERENCE if row.get("reference") else row["class"]


def _verdict(sitting: Sitting, contender: Contender, bad: Taken | None) -> tuple[Any, str]:
    if bad is not None:
        result = bad.trial.result
        return ("diverged" if result.verdict == "converged" else result.verdict), f"{result.run_id}: {result.why}"
    if contender.name in sitting.refused:
        return "not started", sitting.refused[contender.name]
    return ("converged", "") if sitting.of(contender) else ("not measured", sitting.ended)


def _pairs(sitting: Sitting, contender: Contender, base: Contender, metric: Metric) -> list[Pair]:
    """Of the rounds in which both had their turn."""
    found = [{one.round: one.values.get(metric.name) for one in sitting.of(each)} for each in (base, contender)]
    return [Pair(found[0][number], found[1][number]) for number in sorted(found[0].keys() & found[1].keys())]


def _figure(
    contender: Contender, base: Contender, trials: Sequence[Taken], metric: Metric, contrast: Contrast | None
) -> records.Told:
    measured = [one.values[metric.name] for one in trials if metric.name in one.values]
    against = None
    if contrast is not None:
        against = cast(comparison.Contrast, {"arm": contender.name, "base": base.name, **contrast.to_dict()})
    why = "" if measured else _why(trials[0].trial.result, metric)
    return {"spread": spread(contender.name, measured), "contrast": against, "why": why}


def _why(result: Result, metric: Metric) -> str:
    """Why a sound run has no value of a metric."""
    return (figure(result, metric.path).why if metric.path else "") or "not told"


def _trial(one: Taken) -> records.Trial:
    result = one.trial.result
    return {
        "round": one.round,
        "run_id": result.run_id,
        "verdict": result.verdict,
        "why": result.why,
        "faults": result.correctness.faults,
        "doubts": list(result.doubts),
        "values": {
            name: {"value": value.value, "bound": value.bound} for name, value in one.values.items() if name in NAMES
        },
    }


def _notes(sitting: Sitting) -> list[str]:
    results = [one.trial.result for one in sitting.taken]
    notes = []
    if any(result.generator.saturated for result in results):
        notes.append("the load generator was saturated in a trial: its throughput is a lower bound of the server's")
    if any(result.settings.get("RATE") is None for result in results):
        notes.append("closed loop: users and their pauses bound the throughput, of a fast system above all")
    if any(result.convergence.until == "seen" for result in results):
        notes.append(BOUND)
    if len({contender.manifest.class_ for contender in sitting.contenders}) > 1:
        notes.append("classes are not ranked together: documented, as shipped and tuned answer different questions")
    if names := [contender.name for contender in sitting.contenders if contender.manifest.reference]:
        notes.append(f"{', '.join(names)}: {REFERENCE}; not ranked")
    return notes
