"""InfluxDB points, made from what a run tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from metrics.catalogue import (
    ENDPOINT,
    FAILURE,
    PHASE,
    PROJECTOR,
    RESULT,
    RUN_INFO,
    RUN_TAGS,
    SAMPLED,
    STAGES,
    Measurement,
    shown_after,
)
from metrics.records.result import Correctness
from metrics.sinks import UnknownMetric

WHY_LENGTH: Final = 300
Fields = Mapping[str, float | int | str | None]
DETAILS: Final = {"endpoints": ENDPOINT, "failures": FAILURE, "projectors": PROJECTOR}


@dataclass(frozen=True, slots=True)
class Point:
    """One point; `at` is seconds since the epoch. A number is always a float: a field of two types is refused."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | str]
    at: float


@dataclass(frozen=True, slots=True)
class RunTags:
    """Which run a point belongs to."""

    run: str
    mode: str
    strategy: str
    scenario: str
    target: str

    def sample(self, sample: Mapping[str, Any], details: Mapping[str, Any]) -> list[Point]:
        """The points of one second: a line of `samples.jsonl`, and rows for `endpoints`, `failures` and `projectors`.

        Raises UnknownMetric for what the catalogue does not have.
        """
        at, tags = sample["t"], {"phase": sample["phase"]}
        points = [self._point(m, tags, {k: v for k, v in sample.items() if k in m.names}, at) for m in SAMPLED]
        for key, measurement in DETAILS.items():
            for row in details.get(key, ()):
                own = {tag: row[tag] for tag in measurement.tags if tag in row}
                values = {k: v for k, v in row.items() if k not in own}
                points.append(self._point(measurement, {**tags, **own}, values, at))
        return [point for point in points if point.fields]

    def phase(self, name: str, started_at: float, ended_at: float | None) -> Point:
        """A phase, ended or not; the later point of a phase replaces the earlier one."""
        fields: Fields = {"text": f"{name}, {self.strategy}", "ended_at_ms": (ended_at or started_at) * 1000}
        return self._point(PHASE, {"phase": name}, fields, started_at)

    def run_info(self, settings: Fields, at: float) -> Point:
        """What the run was asked to do."""
        return self._point(RUN_INFO, {}, settings, at)

    def result(self, document: Mapping[str, Any], conditions: Fields, started_at: float, ended_at: float) -> Point:
        """The sections of a result, as `result.json` and `loadgen.json` have them, and what it was reached under."""
        return self._point(RESULT, {}, {**conditions, **_result(document, started_at, ended_at)}, ended_at)

    def _point(self, measurement: Measurement, tags: Mapping[str, str], fields: Fields, at: float) -> Point:
        unknown = sorted(fields.keys() - measurement.names)
        if unknown:
            raise UnknownMetric(f"{unknown[0]!r} is not a metric of {measurement.name!r} in metrics.catalogue")
        run = {name: getattr(self, name) for name in RUN_TAGS}
        known = {k: v if isinstance(v, str) else float(v) for k, v in fields.items() if v is not None}
        return Point(measurement.name, {**run, **tags}, known, at)


def _result(document: Mapping[str, Any], started_at: float, ended_at: float) -> dict[str, Any]:
    correctness = Correctness.from_dict(document["correctness"])
    generator = document["generator"]
    sound = document["verdict"] == "converged" and correctness.faults == 0
    return {
        "verdict": document["verdict"],
        "why": " ".join(document["why"].split())[:WHY_LENGTH],
        "converged": sound,
        **(_figures(document) if sound else {}),
        "final_projection_lag": document["projection_lag"]["final"],
        "final_event_id_lag": document["event_id_lag"]["final"],
        "final_backlog": document["backlog"]["final"],
        "events_checked": correctness.events_checked,
        "acknowledged_checked": correctness.acknowledged_checked,
        "faults": correctness.faults,
        **{name: generator[name] for name in ("cpu_percent", "achieved_rate", "saturated", "dropped_points")},
        "cpu_us_per_request": generator.get("cpu_us_per_request"),
        "started_at_ms": started_at * 1000,
        "ended_at_ms": ended_at * 1000,
    }


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is a result only when the run is sound."""
    convergence, throughput = document["convergence"], document["throughput"]
    return {
        "convergence_time_s": convergence["time_s"],
        "convergence_speed_events_per_s": convergence["speed_events_per_s"],
        "convergence_events": convergence["events"],
        "convergence_held_s": convergence["held_s"],
        "max_backlog": document["backlog"]["max"],
        **{name: throughput[name] for name in ("actions_per_s", "reads_per_s", "errors", "rejected")},
        **_latencies("action", document["latency_ms"]["actions"]),
        **_latencies("read", document["latency_ms"]["reads"]),
        **_latencies("visibility", document["visibility_ms"]),
        **_staleness(document.get("staleness") or {}),
        **_stages(document.get("waterfall_ms") or {}),
    }


def _staleness(section: Mapping[str, Any]) -> dict[str, Any]:
    waiting = section.get("waiting") or {}
    return {
        **{shown_after(int(t)): chance for t, chance in section.get("curve", ())},
        **{name: section.get(name) for name in ("read_your_writes", "monotonic_violations")},
        **{f"waiting_{name}": waiting.get(name) for name in ("extra_p50_ms", "extra_p99_ms")},
    }


def _stages(section: Mapping[str, Any]) -> dict[str, Any]:
    told = [(stage, ranks) for stage in STAGES if (ranks := section.get(stage))]
    return {f"{stage}_{rank}_ms": ranks[rank] for stage, ranks in told for rank in ("p50", "p99")}


def _latencies(prefix: str, percentiles: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{rank}_ms": percentiles[rank] for rank in ("p50", "p95", "p99")}
