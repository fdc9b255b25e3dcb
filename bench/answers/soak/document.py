"""`soak.json`: every series with its verdict, and why the whole is not sound."""

from __future__ import annotations

import math
from typing import Final

from bench.answers.soak.curves import Curve, curves
from bench.answers.soak.judge import judge
from bench.bundle.reading import Read
from bench.preflight.description import durable
from metrics.records.answers.soak import SCHEMA, Series, Soak
from settings.catalogue.load import RATE, SEED

POINTS: Final = 240
"""Of a series, that are kept."""

SHORT_S: Final = 600.0
"""A shorter soak has too few rounds of autovacuum, and no checkpoint by time, in the half that is judged."""


def build(soak_id: str, read: Read, seconds: float) -> Soak:
    """The document of a run that has ended."""
    result = read.result
    series = [_series(curve) for curve in curves(read)]
    why = _why(read, series)
    return {
        "schema": SCHEMA,
        "soak_id": soak_id,
        "run_id": result.run_id,
        "scenario": result.scenario,
        "target": result.target["name"],
        "strategy": result.strategy,
        "minutes": seconds / 60,
        "rate": result.settings.get(RATE.name),
        "sound": not why,
        "why": why,
        "events": result.correctness.events_checked,
        "errors": result.throughput.errors,
        "series": series,
        "notes": [*_notes(read, seconds), *_noise(series)],
        "seed": int(result.settings[SEED.name]),
        "settings": dict(result.settings),
        "machine": dict(read.documents["machine"]),
        "postgres": dict(read.documents["postgres"]),
        "versions": dict(read.documents["versions"]),
    }


def compounding(series: list[Series]) -> list[Series]:
    """Those that compound."""
    return [each for each in series if each["verdict"] == "compounds"]


def open_to_doubt(series: list[Series]) -> list[Series]:
    """Those that settle, and whose interval goes beyond what is allowed: more noise than the soak has averaged out."""
    return [each for each in series if each["verdict"] == "settles" and _beyond(each)]


def _beyond(each: Series) -> bool:
    worst, allowed = (each["low"] if each["falls"] else each["high"]), each["allowed"]
    return worst is not None and allowed is not None and (-worst if each["falls"] else worst) > allowed


def named(series: Series) -> str:
    """What it is of, in words."""
    return f"{series['group']}: {series['name']}" if series["name"] != series["group"] else series["name"]


def _why(read: Read, series: list[Series]) -> str:
    result = read.result
    reasons = [] if result.sound else [f"{result.verdict}: {result.why}"]
    if worse := compounding(series):
        reasons.append(f"{len(worse)} series compound ({', '.join(map(named, worse))})")
    if all(each["verdict"] == "too short" for each in series):
        reasons.append("no series is long enough to be judged")
    return "; ".join(reasons)


def _series(curve: Curve) -> Series:
    found = judge(curve.points, curve.bound)
    step = math.ceil(len(curve.points) / POINTS) or 1
    allowed = None if found.level is None else curve.bound.allowed(found.level)
    return {
        "name": curve.name,
        "group": curve.group,
        "unit": curve.unit,
        "verdict": found.verdict,
        "level": _rounded(found.level),
        "growth": _rounded(found.growth),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "per_hour": _rounded(found.per_hour),
        "allowed": _rounded(allowed),
        "falls": curve.bound.falls,
        "chance": _rounded(found.chance),
        "points": [[round(t, 1), float(f"{value:.5g}")] for t, value in curve.points[::step]],
    }


def _noise(series: list[Series]) -> list[str]:
    noisy = open_to_doubt(series)
    names = ", ".join(map(named, noisy))
    return [f"a longer soak would tell more of {names}: their intervals go beyond what is allowed"] if noisy else []


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _notes(read: Read, seconds: float) -> list[str]:
    notes = list(read.result.doubts)
    if seconds < SHORT_S:
        notes.append("a soak of less than 10 minutes says little of dead rows and WAL: autovacuum looks once a minute")
    if read.result.generator.saturated:
        notes.append("the load generator was saturated: latencies are its own")
    resources = read.result.resources
    if resources is not None and resources.reason:
        notes.append(f"not told: {resources.reason}")
    if read.documents["postgres"] and not durable(read.documents["postgres"]):
        notes.append("measured without durability: fsync or synchronous_commit is off")
    return notes
