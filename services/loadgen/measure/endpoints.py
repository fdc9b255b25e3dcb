"""Latency and failures by endpoint, for each second of a run."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import Any

from metrics.catalogue import ABOVE, BUCKETS_MS, bucket
from services.loadgen.measure.causes import Causes, kind, reason
from services.loadgen.measure.recorder import Outcome, quantile

_NAMES = (*(bucket(bound) for bound in BUCKETS_MS), ABOVE)
_PERCENTS = (50, 90, 95, 99)


@dataclass
class _Interval:
    latencies: list[float] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)


class Endpoints:
    """Collects finished requests by endpoint, and failures by endpoint and reason; `errors` of the run, by kind."""

    def __init__(self) -> None:
        self._intervals: defaultdict[str, _Interval] = defaultdict(_Interval)
        self._failures: Counter[tuple[str, str]] = Counter()
        self.causes = Causes()
        self.errors: Counter[str] = Counter()

    def note(self, endpoint: str, outcome: Outcome, seconds: float, status: int, why: str = "") -> None:
        """Take in a finished request; status 0 stands for no answer, and `why` says what became of it."""
        interval = self._intervals[endpoint]
        interval.outcomes[outcome] += 1
        if outcome == "ok":
            interval.latencies.append(seconds)
        elif outcome == "error":
            self._failures[endpoint, f"status {status}" if status else "no answer"] += 1
            self.causes.note(why or reason(status, None))
            self.errors[kind(status, why)] += 1

    def next_interval(self, seconds: float) -> dict[str, list[dict[str, Any]]]:
        """Rows of the measurements `endpoint` and `failure` since the last call, which was `seconds` ago."""
        intervals, self._intervals = self._intervals, defaultdict(_Interval)
        failures, self._failures = self._failures, Counter()
        return {
            "endpoints": [{"endpoint": name, **_summary(one, seconds)} for name, one in sorted(intervals.items())],
            "failures": [
                {"endpoint": name, "reason": reason, "failures": count}
                for (name, reason), count in sorted(failures.items())
            ],
        }


def _summary(interval: _Interval, seconds: float) -> dict[str, Any]:
    requests, failures = interval.outcomes.total(), interval.outcomes["error"]
    return {
        "requests": requests,
        "requests_per_s": requests / seconds,
        "failures": failures,
        "failures_per_s": failures / seconds,
        "rejected": interval.outcomes["rejected"],
        **_latencies(sorted(latency * 1000 for latency in interval.latencies)),
    }


def _latencies(ordered: list[float]) -> dict[str, float]:
    if not ordered:
        return {}
    ranks = [0, *(bisect_right(ordered, bound) for bound in BUCKETS_MS), len(ordered)]
    found = {
        "latency_mean_ms": fmean(ordered),
        "latency_min_ms": ordered[0],
        "latency_max_ms": ordered[-1],
        **{f"latency_p{percent}_ms": quantile(ordered, percent / 100) or 0.0 for percent in _PERCENTS},
    }
    counts = {name: upper - lower for name, (lower, upper) in zip(_NAMES, pairwise(ranks), strict=True)}
    return {name: round(value, 3) for name, value in found.items()} | counts
