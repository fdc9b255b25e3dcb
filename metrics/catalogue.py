"""Every metric once: what it is called, in which unit, of which kind, and what it means.

`docs/metrics.md` and the check of the dashboards are made from this list; a sink refuses a name that is not in it.
The entries are the fields of `samples.jsonl`, one value a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["gauge", "rate", "count", "percentile"]
"""`count` is what happened within the second of the sample; `rate` is a count per second; `percentile` is read from
one HDR histogram of that second, and is never averaged."""

RUN_TAGS: Final = ("run", "scenario", "mode")
SAMPLE_TAGS: Final = (*RUN_TAGS, "phase")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric's birth certificate. `unit` is `1` for plain numbers."""

    name: str
    unit: str
    kind: Kind
    meaning: str
    tags: tuple[str, ...] = SAMPLE_TAGS


_ALL: Final = (
    Metric("users", "1", "gauge", "users that the generator runs"),
    Metric("actions_per_s", "1/s", "rate", "acknowledged creates, updates and deletes"),
    Metric("reads_per_s", "1/s", "rate", "answered reads"),
    Metric("errors", "1", "count", "requests that failed: time-outs, lost connections, 5xx"),
    Metric("rejected", "1", "count", "requests refused by the rules (404, 409); not errors"),
    Metric("action_p50_ms", "ms", "percentile", "latency of actions, median, from the (intended) start to the answer"),
    Metric("action_p95_ms", "ms", "percentile", "latency of actions, 95th percentile"),
    Metric("action_p99_ms", "ms", "percentile", "latency of actions, 99th percentile"),
    Metric("read_p50_ms", "ms", "percentile", "latency of reads, median, from the (intended) start to the answer"),
    Metric("read_p95_ms", "ms", "percentile", "latency of reads, 95th percentile"),
    Metric("read_p99_ms", "ms", "percentile", "latency of reads, 99th percentile"),
    Metric("projection_lag", "todos", "gauge", "|active todos − expected|; a loss and a duplicate cancel in it"),
    Metric("event_id_lag", "positions", "gauge", "last position in the store − last projected; counts sequence holes"),
    Metric("backlog", "events", "gauge", "sum over streams of head version − projected version; exact"),
    Metric("oldest_unprojected_age_ms", "ms", "gauge", "age of the oldest event that is not projected; 0 if none"),
    Metric("events_in_store", "events", "gauge", "events in the store"),
    Metric("events_projected", "events", "gauge", "events projected, ever"),
    Metric("active_todos", "todos", "gauge", "projected todos that are not deleted"),
    Metric("expected_active", "todos", "gauge", "todos that the generator knows to be acknowledged and not deleted"),
    Metric("projectors_alive", "1", "gauge", "projectors with a fresh heartbeat"),
    Metric("leases_held", "1", "gauge", "leases held by all projectors"),
    Metric("visibility_p50_ms", "ms", "percentile", "from the acknowledgement of a write to a read showing it, median"),
    Metric("visibility_p99_ms", "ms", "percentile", "the same, 99th percentile"),
    Metric("cpu_percent", "%", "gauge", "CPU of the load generator; 100 is one core"),
)

CATALOGUE: Final[Mapping[str, Metric]] = MappingProxyType({metric.name: metric for metric in _ALL})


def markdown() -> str:
    """The catalogue as a Markdown table, for the documentation."""
    lines = ["| metric | unit | kind | tags | meaning |", "|---|---|---|---|---|"]
    for metric in CATALOGUE.values():
        meaning = metric.meaning.replace("|", "\\|")
        lines.append(f"| `{metric.name}` | {metric.unit} | {metric.kind} | {', '.join(metric.tags)} | {meaning} |")
    return "\n".join(lines) + "\n"
