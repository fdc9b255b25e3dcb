"""Metrics, each once: where it is kept, what it is called, in which unit, of which kind, and what it means.

A measurement of InfluxDB is a set of metrics with the same tags. `docs/operation/metrics.md` and the checks of the
dashboards are made from this list; a sink refuses a name that is not in it. The metrics of `SAMPLED` are also the
fields of `samples.jsonl`, one line a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["gauge", "rate", "count", "total", "percentile", "text"]
KINDS: Final[Mapping[Kind, str]] = {
    "gauge": "the value at that moment",
    "rate": "a count per second",
    "count": "what happened within the second of the sample; in `result`, within the load phase",
    "total": "only ever grows",
    "percentile": "nearest rank among all values of that second; in `result`, of the load phase; never averaged",
    "text": "words",
}

RUN_TAGS: Final = ("run", "target", "mode", "strategy", "scenario")
SAMPLE_TAGS: Final = (*RUN_TAGS, "phase")

BUCKETS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Upper bounds of the latency counts of an endpoint."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric's birth certificate. `unit` is `1` for plain numbers."""

    name: str
    unit: str
    kind: Kind
    meaning: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Metrics that are written together, and the tags that tell their series apart."""

    name: str
    tags: tuple[str, ...]
    meaning: str
    metrics: tuple[Metric, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of its metrics."""
        return frozenset(metric.name for metric in self.metrics)


ELAPSED: Final = Metric("elapsed_s", "s", "gauge", "time since the run began, to lay runs over one another")


def bucket(bound_ms: int) -> str:
    """The name of the count of latencies up to this bound, and above the one before."""
    return f"le_{bound_ms}_ms"


STAGES: Final = ("commit_to_noticed", "noticed_to_claimed", "claimed_to_committed", "committed_to_read")
"""The parts of an event's way, in their order; each begins where the one before ends."""

POINTS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Milliseconds at which the staleness curve is told: chosen once, so that two curves are compared point by point."""


def shown_after(ms: int) -> str:
    """The name of a point of the staleness curve."""
    return f"shown_after_{ms}_ms"


ABOVE: Final = f"above_{BUCKETS_MS[-1]}_ms"


def _latency(prefix: str, of: str, *ranks: int) -> tuple[Metric, ...]:
    return tuple(Metric(f"{prefix}_p{rank}_ms", "ms", "percentile", f"{of}, {_ordinal(rank)}") for rank in ranks)


def _ordinal(rank: int) -> str:
    return "median" if rank == 50 else f"{rank}th percentile"


LOAD: Final = Measurement(
    "load",
    SAMPLE_TAGS,
    "the requests of all users, a point a second",
    (
        ELAPSED,
        Metric("users", "1", "gauge", "users that the generator runs"),
        Metric("actions_per_s", "1/s", "rate", "acknowledged creates, updates and deletes"),
        Metric("reads_per_s", "1/s", "rate", "answered reads"),
        Metric("errors", "1", "count", "requests that failed: time-outs, lost connections, 5xx"),
        Metric("rejected", "1", "count", "requests refused by the rules (404, 409); not errors"),
        *_latency("action", "latency of actions, from the (intended) start to the answer", 50, 95, 99),
        *_latency("read", "latency of reads, from the (intended) start to the answer", 50, 95, 99),
    ),
)
ENDPOINT: Final = Measurement(
    "endpoint",
    (*SAMPLE_TAGS, "endpoint"),
    "the requests of one endpoint, a point a second; latencies are those of answered requests",
    (
        Metric("requests", "1", "count", "requests that came to an end, however"),
        Metric("requests_per_s", "1/s", "rate", "requests that came to an end, however"),
        Metric("failures", "1", "count", "requests that failed: time-outs, lost connections, 5xx"),
        Metric("failures_per_s", "1/s", "rate", "requests that failed"),
        Metric("rejected", "1", "count", "requests refused by the rules (404, 409); not failures"),
        Metric("latency_mean_ms", "ms", "gauge", "latency, mean"),
        Metric("latency_min_ms", "ms", "gauge", "latency, smallest"),
        Metric("latency_max_ms", "ms", "gauge", "latency, largest"),
        *_latency("latency", "latency", 50, 90, 95, 99),
        *(Metric(bucket(ms), "1", "count", f"answers within {ms} ms, in no smaller bucket") for ms in BUCKETS_MS),
        Metric(ABOVE, "1", "count", f"answers that took more than {BUCKETS_MS[-1]} ms"),
    ),
)
FAILURE: Final = Measurement(
    "failure",
    (*SAMPLE_TAGS, "endpoint", "reason"),
    "failed requests by endpoint and reason, a point for each second that has any",
    (Metric("failures", "1", "count", "requests that failed for this reason"),),
)
PROJECTION: Final = Measurement(
    "projection",
    SAMPLE_TAGS,
    "the projection as `GET /stats` tells it, a point a second",
    (
        ELAPSED,
        Metric("projection_lag", "todos", "gauge", "|active todos − expected|; a loss and a duplicate cancel in it"),
        Metric("event_id_lag", "positions", "gauge", "last position in the store − last projected; counts holes"),
        Metric("backlog", "events", "gauge", "sum over streams of head version − projected version; exact"),
        Metric("oldest_unprojected_age_ms", "ms", "gauge", "age of the oldest event that is not projected; 0 if none"),
        Metric("events_in_store", "events", "gauge", "events in the store"),
        Metric("events_projected", "events", "total", "events projected, ever"),
        Metric("appended_per_s", "events/s", "rate", "events that came into the store"),
        Metric("projected_per_s", "events/s", "rate", "events that took effect in the projection"),
        Metric("head_position", "position", "gauge", "position of the last event in the store"),
        Metric("projected_position", "position", "gauge", "highest position projected; others below may be missing"),
        Metric("active_todos", "todos", "gauge", "projected todos that are not deleted"),
        Metric("expected_active", "todos", "gauge", "todos that the generator knows as acknowledged and not deleted"),
        Metric("blocked_streams", "streams", "gauge", "streams that wait for an operator; no projector holds them"),
        Metric("projectors_alive", "1", "gauge", "projectors with a fresh heartbeat"),
        Metric("leases_held", "1", "gauge", "leases held by all projectors"),
    ),
)
PROJECTOR: Final = Measurement(
    "projector",
    (*SAMPLE_TAGS, "projector", "handler", "read_models"),
    "one living projector, a point a second",
    (
        Metric("leases_held", "1", "gauge", "leases that it holds"),
        Metric("events_projected", "events", "total", "events that it projected since its start"),
        Metric("batches", "1", "total", "projection transactions since its start"),
        Metric("claims", "1", "total", "leases claimed since its start"),
        Metric("takeovers", "1", "total", "leases taken over from a projector that let them run out"),
        Metric("duplicates", "events", "total", "events that it met again and did not apply again"),
    ),
)
VISIBILITY: Final = Measurement(
    "visibility",
    SAMPLE_TAGS,
    "what the probe measures, a point a second",
    (
        ELAPSED,
        *_latency("visibility", "from the acknowledgement of a write to a read that shows it", 50, 99),
        Metric("unseen_age_ms", "ms", "gauge", "age of the oldest write that no read has shown yet; 0 if none"),
    ),
)
GENERATOR: Final = Measurement(
    "generator",
    SAMPLE_TAGS,
    "the measurement's own health, a point a second",
    (
        Metric("cpu_percent", "%", "gauge", "CPU of the load generator; 100 is one core"),
        Metric("scheduler_delay_ms", "ms", "gauge", "by how much a timer of the load generator fired late, at worst"),
        Metric("dropped_points", "1", "total", "points that InfluxDB never got"),
    ),
)
PHASE: Final = Measurement(
    "phase",
    SAMPLE_TAGS,
    "one point at the start of each phase, written again at its end",
    (
        Metric("text", "", "text", "phase and ordering strategy, for an annotation"),
        Metric("ended_at_ms", "ms", "gauge", "end of the phase, since the epoch; its start while it lasts"),
    ),
)
CONDITIONS: Final = (
    Metric("projectors", "1", "gauge", "projectors alive at the start"),
    Metric(
        "handler_latency_ms", "ms", "gauge", "artificial cost of an event (`HANDLER_LATENCY_MS`); absent if not known"
    ),
)
"""What two runs must share to be compared; the dashboards show it wherever a result stands."""

RUN_INFO: Final = Measurement(
    "run_info",
    RUN_TAGS,
    "one point at the start of a run",
    (
        Metric("users", "1", "gauge", "users (`VUS`)"),
        Metric("duration_s", "s", "gauge", "length of the load phase (`DURATION`)"),
        Metric("write_ratio", "1", "gauge", "share of the users that write (`WRITE_RATIO`)"),
        Metric("think_time_ms", "ms", "gauge", "pause of a user between requests (`THINK_TIME_MS`)"),
        Metric("target_rate", "1/s", "gauge", "arrivals of the open loop (`RATE`); absent in the closed loop"),
        Metric("seed", "1", "gauge", "seed of the mix of operations (`SEED`)"),
        *CONDITIONS,
    ),
)
RESULT: Final = Measurement(
    "result",
    RUN_TAGS,
    "one point at the end of a run, written again when the events were folded again; throughput, latencies and "
    "convergence only of a run that converged without a fault",
    (
        Metric("verdict", "", "text", "converged, timed_out, diverged, blocked or invalid"),
        Metric("why", "", "text", "reason of any verdict but converged"),
        Metric("converged", "1", "gauge", "1 if the verdict is converged and no oracle found a fault, else 0"),
        *CONDITIONS,
        Metric(
            "convergence_time_s",
            "s",
            "gauge",
            "from the later of the last write's commit and the projectors' release to the last projected commit",
        ),
        Metric(
            "convergence_speed_events_per_s",
            "events/s",
            "rate",
            "events projected in the convergence, by its time; absent where none was left to project",
        ),
        Metric("convergence_events", "events", "count", "events projected in the convergence phase"),
        Metric("convergence_held_s", "s", "gauge", "how long all projectors stood still before it; 0: not at all"),
        Metric("final_projection_lag", "todos", "gauge", "projection lag at the end, converged or not"),
        Metric("final_event_id_lag", "positions", "gauge", "event id lag at the end, converged or not"),
        Metric("final_backlog", "events", "gauge", "backlog at the end, converged or not"),
        Metric("max_backlog", "events", "gauge", "largest backlog of the load phase"),
        Metric("actions_per_s", "1/s", "rate", "acknowledged actions of the load phase, by its time"),
        Metric("reads_per_s", "1/s", "rate", "answered reads of the load phase, by its time"),
        Metric("errors", "1", "count", "requests of the load phase that failed"),
        Metric("rejected", "1", "count", "requests of the load phase that were refused by the rules"),
        *_latency("action", "latency of actions", 50, 95, 99),
        *_latency("read", "latency of reads", 50, 95, 99),
        *_latency("visibility", "from the acknowledgement of a write to a read that shows it", 50, 95, 99),
        *(
            Metric(shown_after(ms), "1", "gauge", f"chance that a read shows a write {ms} ms after its acknowledgement")
            for ms in POINTS_MS
        ),
        Metric("read_your_writes", "1", "gauge", "share of writes that the next read of their own writer shows"),
        Metric("monotonic_violations", "1", "count", "reads that show less than their reader had seen; should be 0"),
        *_latency("waiting_extra", "what a read that waits for its version takes more than one that does not", 50, 99),
        *(
            metric
            for stage in STAGES
            for metric in _latency(stage, f"{stage.replace('_', ' ')}: its part of a write's visibility", 50, 99)
        ),
        Metric("events_checked", "events", "count", "events folded again; 0 where nobody but the generator judged"),
        Metric("acknowledged_checked", "1", "count", "acknowledged writes looked for in the final read"),
        Metric("faults", "1", "count", "lost, duplicated, reordered, phantom, mismatched and missing; must be 0"),
        Metric("cpu_percent", "%", "gauge", "CPU of the load generator over the load phase; 100 is one core"),
        Metric(
            "cpu_us_per_request", "µs", "gauge", "CPU of the load generator for each request; absent where not told"
        ),
        Metric("achieved_rate", "1/s", "rate", "requests begun a second"),
        Metric("saturated", "1", "gauge", "1 if the generator, not the server, may have set the pace"),
        Metric("dropped_points", "1", "total", "points that InfluxDB never got, up to this one"),
        Metric("started_at_ms", "ms", "gauge", "start of the run, since the epoch"),
        Metric("ended_at_ms", "ms", "gauge", "end of the run, since the epoch"),
    ),
)

SAMPLED: Final = (LOAD, PROJECTION, VISIBILITY, GENERATOR)
CATALOGUE: Final[Mapping[str, Measurement]] = MappingProxyType(
    {measurement.name: measurement for measurement in (*SAMPLED, ENDPOINT, FAILURE, PROJECTOR, PHASE, RUN_INFO, RESULT)}
)
