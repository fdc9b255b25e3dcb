"""`crossover.json`: the map with all its trials."""

from __future__ import annotations

from typing import Final

from bench.answers.crossover.cell import METRIC
from bench.answers.crossover.trials import Sitting
from bench.preflight.description import durable
from metrics.records.answers import crossover as records
from settings.catalogue.load import RATE, SEED, SKEW
from settings.catalogue.projection import HANDLER_LATENCY_MS, SERIAL_PROJECTION, STRATEGY

LEFT_OUT: Final = {each.name for each in (RATE, SEED, SKEW, HANDLER_LATENCY_MS, SERIAL_PROJECTION, STRATEGY)}
"""What differs from cell to cell, and is told with each."""


def build(crossover_id: str, sitting: Sitting) -> records.Crossover:
    """The document of a sitting that has at least one trial."""
    first, base = sitting.first, sitting.sides[0]
    assert first is not None
    cells = [cell.record(str(base.seed), anyway=sitting.anyway) for cell in sitting.begun]
    proven = all(side["verdict"] == "converged" for cell in cells for pair in cell["pairs"] for side in pair)
    return {
        "schema": records.SCHEMA,
        "crossover_id": crossover_id,
        "scenario": base.scenario.name,
        "sound": not sitting.why and proven and all(cell.pairs and not cell.why for cell in sitting.cells),
        "why": sitting.why,
        "metric": METRIC,
        "sides": list(sitting.cells[0].names),
        "strategies": [side.strategy for side in sitting.sides],
        "projectors": base.projectors,
        "handler": base.handler,
        "costs_ms": list(dict.fromkeys(cell.cost_ms for cell in sitting.cells)),
        "skews": list(dict.fromkeys(cell.skew for cell in sitting.cells)),
        "pairs": sitting.pairs,
        "seed": base.seed,
        "budget_s": sitting.budget.seconds,
        "took_s": round(sitting.budget.took_s, 1),
        "settings": {name: value for name, value in first.result.settings.items() if name not in LEFT_OUT},
        "machine": dict(first.documents["machine"]),
        "postgres": dict(first.documents["postgres"]),
        "versions": dict(first.documents["versions"]),
        "notes": _notes(sitting),
        "cells": cells,
    }


def _notes(sitting: Sitting) -> list[str]:
    first = sitting.first
    assert first is not None
    notes = []
    if missing := len(sitting.cells) - len(sitting.begun):
        notes.append(
            f"{missing} of {len(sitting.cells)} cells were not measured{'' if sitting.why else ': the time was over'}"
        )
    if short := [cell for cell in sitting.begun if len(cell.pairs) < sitting.pairs]:
        notes.append(f"{len(short)} cells have fewer than {sitting.pairs} pairs")
    notes += [f"{cell.cost_ms:g} ms, SKEW={cell.skew:g}: {cell.why}" for cell in sitting.begun if cell.why]
    trials = [trial.result for cell in sitting.begun for pair in cell.pairs for trial in pair]
    if timed_out := sum(result.verdict == "timed_out" for result in trials):
        notes.append(f"{timed_out} trials timed out: their speed is at most all that was left, by the time until then")
    doubtful = sum(bool(result.doubts) for result in trials)
    if doubtful and sitting.anyway:
        notes.append(f"{doubtful} trials were doubtful, and taken all the same (--anyway)")
    if not durable(first.documents["postgres"]):
        notes.append("measured without durability: fsync or synchronous_commit is off")
    return notes
