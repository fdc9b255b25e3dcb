"""`capacity.json`: the intervals with every rung, and the fewest projectors for a load, derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bench.answers.capacity import words
from bench.answers.capacity.search import CONFIRMATIONS
from bench.answers.capacity.trials import Sitting, Tried
from bench.preflight.description import durable
from metrics.records.answers import capacity as records
from settings.catalogue.load import RATE, SEED

LEFT_OUT: Final = (RATE.name, SEED.name, "PROJECTORS", "STRATEGY", "SERIAL_PROJECTION")
"""What differs from trial to trial, and is told with each."""


def build(capacity_id: str, sitting: Sitting) -> records.Capacity:
    """The document of a sitting that has at least one trial."""
    first = sitting.first
    assert first is not None
    settings = sitting.tried[0].settings
    curves = [_curve(tried) for tried in sitting.tried if tried.rungs]
    found = all(curve["holds"] is not None for curve in curves)
    faultless = all(rung["verdict"] not in ("diverged", "blocked") for curve in curves for rung in curve["rungs"])
    return {
        "schema": records.SCHEMA,
        "capacity_id": capacity_id,
        "scenario": settings.scenario.name,
        "sound": not sitting.why and found and faultless,
        "why": sitting.why,
        "unit": records.UNIT,
        "visible_p99_ms": sitting.visible_p99_ms,
        "write_ratio": settings.write_ratio,
        "seed": settings.seed,
        "budget_s": sitting.budget.seconds,
        "took_s": round(sitting.budget.took_s, 1),
        "settings": {name: value for name, value in first.result.settings.items() if name not in LEFT_OUT},
        "machine": dict(first.documents["machine"]),
        "postgres": dict(first.documents["postgres"]),
        "versions": dict(first.documents["versions"]),
        "notes": _notes(sitting, first.documents["postgres"]),
        "curves": curves,
        "replicas_by_load": replicas_by_load(curves),
    }


def replicas_by_load(curves: Sequence[records.Curve]) -> list[records.Load]:
    """For each strategy, the fewest projectors by rising load, of the rates that were confirmed.

    More projectors that hold less have no part in it.
    """
    bands: list[records.Load] = []
    for strategy in dict.fromkeys(curve["strategy"] for curve in curves):
        reached = 0.0
        for curve in sorted(curves, key=lambda each: each["projectors"]):
            confirmed = curve["strategy"] == strategy and curve["confirmed"] >= CONFIRMATIONS
            if confirmed and (holds := curve["holds"] or 0.0) > reached:
                bands.append({"strategy": strategy, "up_to": holds, "projectors": curve["projectors"]})
                reached = holds
    return bands


def _curve(tried: Tried) -> records.Curve:
    answer = tried.search.answer()
    at_holds = [rung["actions_per_s"] for rung in tried.rungs if rung["rate"] == answer.holds]
    return {
        "strategy": tried.settings.ordering,
        "projectors": tried.settings.projectors,
        "holds": answer.holds,
        "fails": answer.fails,
        "confirmed": answer.confirmed,
        "checked": answer.checked,
        "end": answer.end,
        "actions_per_s": at_holds[-1] if at_holds else None,
        "said": words.sentence(answer),
        "rungs": tried.rungs,
    }


def _notes(sitting: Sitting, postgres: dict[str, Any]) -> list[str]:
    notes = []
    if unbegun := [tried for tried in sitting.tried if not tried.rungs]:
        named = ", ".join(words.replicas(tried.settings.projectors) for tried in unbegun)
        notes.append(f"not begun: {named}")
    doubtful = sum(bool(rung["doubts"]) for tried in sitting.tried for rung in tried.rungs)
    if sitting.anyway and doubtful:
        notes.append(f"{doubtful} trials were doubtful, and taken all the same (--anyway)")
    if postgres and not durable(postgres):
        notes.append("measured without durability: fsync or synchronous_commit is off")
    return notes
