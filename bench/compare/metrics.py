"""What is compared: each metric with its unit, the direction that is better, and where a bundle holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bench.bundle.figures import figure
from bench.compare.statistics.pairs import Bound, Value
from metrics.records.result import Result
from metrics.records.verification import Verification

Read = Callable[[Result, Verification], float | None]
Resolution = Callable[[Result], float]
Bounded = Callable[[Result], Bound]


@dataclass(frozen=True)
class Metric:
    """`lead` metrics are told in the headline. `unit` is `s`, `ms`, `µs`, `/s`, or a word for a count.

    `path` is that of its figure in the result; `read` stands in for it where it is none. Both give None where the run
    measured nothing of it. `resolution`: by how much it may be off in its unit, where that is more than the three
    digits of a histogram. `bound`: whether the run knows it, or only that it is so much at least or at most.
    """

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    path: str = ""
    read: Read | None = None
    lead: bool = False
    resolution: Resolution = lambda _: 0.0
    bound: Bounded = lambda _: "exact"

    def value(self, result: Result, verification: Verification) -> Value | None:
        """What a sound run has for it."""
        told = figure(result, self.path).value if self.read is None else self.read(result, verification)
        return None if told is None else Value(float(told), self.bound(result), self.resolution(result))


def _one_event(_: Result) -> float:
    return 1.0


def _of_the_release(result: Result) -> float:
    return result.convergence.resolution_s or 0.0


def _time_seen(result: Result) -> Bound:
    return "at_most" if result.convergence.until == "seen" else "exact"


def _speed_seen(result: Result) -> Bound:
    """From the sending of the last write to a look after the end is longer than it took."""
    return "at_least" if result.convergence.until == "seen" else "exact"


def speed_resolution(result: Result) -> float:
    """Of the convergence speed, by the resolution of the time that it is taken over."""
    found = result.convergence
    return (found.speed_events_per_s or 0.0) * _of_the_release(result) / found.time_s if found.time_s > 0 else 0.0


BOUND: Final = (
    "a target that tells no moments of its own is timed from the sending of its last write to a look after the end: "
    "its convergence time is at most so long, and its convergence speed at least so high (≥)"
)
"""What a convergence that was only seen is worth."""

METRICS: Final = (
    Metric("actions_per_s", "Actions", "/s", "higher", "throughput.actions_per_s", lead=True),
    Metric("reads_per_s", "Reads", "/s", "higher", "throughput.reads_per_s"),
    Metric("action_p50_ms", "Action latency, p50", "ms", "lower", "latency_ms.actions.p50", lead=True),
    Metric("action_p99_ms", "Action latency, p99", "ms", "lower", "latency_ms.actions.p99"),
    Metric("visible_p50_ms", "Write to visible, p50", "ms", "lower", "visibility_ms.p50", lead=True),
    Metric("visible_p99_ms", "Write to visible, p99", "ms", "lower", "visibility_ms.p99"),
    Metric(
        "projected_p50_ms",
        "Insert to projected, p50",
        "ms",
        "lower",
        read=lambda _, v: v.projected_ms.p50 if v.projected_samples else None,
    ),
    Metric(
        "projected_p99_ms",
        "Insert to projected, p99",
        "ms",
        "lower",
        read=lambda _, v: v.projected_ms.p99 if v.projected_samples else None,
    ),
    Metric("backlog_max", "Largest backlog", "events", "lower", "backlog.max", resolution=_one_event),
    Metric(
        "convergence_s",
        "Convergence time",
        "s",
        "lower",
        "convergence.time_s",
        lead=True,
        resolution=_of_the_release,
        bound=_time_seen,
    ),
    Metric(
        "convergence_speed",
        "Convergence speed",
        "events/s",
        "higher",
        "convergence.speed_events_per_s",
        lead=True,
        resolution=speed_resolution,
        bound=_speed_seen,
    ),
    Metric(
        "system_cpu_us_per_action",
        "CPU of the system, an action",
        "µs",
        "lower",
        "resources.system_cpu_us_per_action",
    ),
    Metric("wal_bytes_per_action", "WAL, an action", "bytes", "lower", "resources.wal_bytes_per_action"),
)


def values(result: Result, verification: Verification) -> dict[str, Value]:
    """The values of a sound run. Of one that timed out, only that its convergence takes longer; of a void one, none."""
    if result.sound:
        found = {metric.name: metric.value(result, verification) for metric in METRICS}
        return {name: value for name, value in found.items() if value is not None}
    if result.verdict == "timed_out":
        return {"convergence_s": Value(result.convergence.time_s, "at_least")}
    return {}
