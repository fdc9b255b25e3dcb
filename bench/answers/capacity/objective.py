"""Objective of a capacity search, and the verdict over one trial: does it hold at this rate, and if not, why?

It holds when the run converged under both oracles, no request failed, the 99th percentile of write to visible is within
the bound, the backlog does not grow (the lower end of its slope's interval is 0 or less), and nothing casts doubt on
the measurement: the generator was not saturated and kept its rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bench.answers.capacity.slope import Slope, slope
from bench.report.words import milliseconds, whole
from metrics.records.result import Result

Outcome = Literal["holds", "fails", "unsound", "doubtful", "void"]
"""`unsound`: the generator was at its end, so nothing is known of the system. `doubtful`: so the result says itself.
`void`: the run gave no figures at all."""

KEPT_SHARE: Final = 0.95
"""A rate is kept when this share of the due requests was begun in time, as the load generator judges it, too."""


@dataclass(frozen=True)
class Judged:
    """What one trial says of its rate, with each reason as a clause; of one that holds, none."""

    outcome: Outcome
    reasons: tuple[str, ...]
    slope: Slope | None


def judge(
    result: Result, samples: Sequence[Mapping[str, Any]], visible_p99_ms: float, *, anyway: bool = False
) -> Judged:
    """Hold one trial against the objective; `anyway`: as if nothing cast doubt on it.

    A finding of an oracle is a failure, whatever else is said.
    """
    grows = slope(backlog(samples))
    outcome, reasons = _judge(result, grows, visible_p99_ms, anyway=anyway)
    return Judged(outcome, tuple(reasons), grows)


def backlog(samples: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """Seconds and backlog of the load phase, as sampled."""
    return [
        (sample["t"], sample["backlog"])
        for sample in samples
        if sample["phase"] == "load" and sample.get("backlog") is not None
    ]


def _judge(result: Result, grows: Slope | None, visible_p99_ms: float, *, anyway: bool) -> tuple[Outcome, list[str]]:
    if result.correctness.faults or result.verdict in ("diverged", "blocked"):
        return "fails", [f"{result.verdict}: {result.why}"]
    if not result.throughput.actions and not result.throughput.reads and not result.throughput.errors:
        return "void", [result.why or "nothing was measured"]
    if result.doubts and not anyway:
        return "doubtful", list(result.doubts)
    if result.generator.saturated:
        return "unsound", [f"the load generator was saturated (CPU {result.generator.cpu_percent:.0f} % of a core)"]
    failures = [*_of_the_api(result), *_of_the_projection(result, grows, visible_p99_ms)]
    return ("fails" if failures else "holds"), failures


def _of_the_api(result: Result) -> list[str]:
    failures = []
    target, achieved = result.generator.target_rate, result.generator.achieved_rate
    if target and achieved < KEPT_SHARE * target:
        users = f"all VUS={result.settings.get('VUS')} users waited for answers"
        failures.append(f"the API took {whole(achieved)} of {whole(target)} requests/s: {users}")
    elif result.verdict == "invalid":
        failures.append(f"invalid: {result.why}")
    if result.throughput.errors:
        failures.append(f"{whole(result.throughput.errors)} requests failed")
    return failures


def _of_the_projection(result: Result, grows: Slope | None, visible_p99_ms: float) -> list[str]:
    failures = []
    visible = result.visibility_ms
    if not visible.samples:
        failures.append("no write was seen to become visible")
    elif visible.p99 > visible_p99_ms:
        failures.append(f"write to visible p99 {milliseconds(visible.p99)} ms")
    if grows is None:
        failures.append("the load phase was too short to tell whether the backlog grows")
    elif grows.low > 0:
        failures.append(
            f"the backlog grew by {whole(grows.value)} events/s ({whole(grows.low)} to {whole(grows.high)})"
        )
    if result.verdict == "timed_out":
        failures.append(f"timed out: {result.why}")
    return failures
