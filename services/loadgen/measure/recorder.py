"""HDR histograms of request latency, and gauges sampled in the load phase.

Every request is recorded, to three digits: Locust's own percentiles are rounded to two.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from hdrh.histogram import HdrHistogram

from metrics.records.result import Distribution, Lag, Latency, Percentiles, Throughput
from metrics.records.sections.staleness import NOT_TOLD
from services.loadgen.judge.stats import Stats

Outcome = Literal["ok", "rejected", "error"]
Kind = Literal["action", "read"]
LONGEST_US = 3_600_000_000
_EXACT_BITS = 11
"""What three significant digits take: a histogram of them is exact below 2,048."""


def new_histogram() -> Any:
    """An HDR histogram of microseconds up to an hour with three significant digits."""
    return HdrHistogram(1, LONGEST_US, 3)


def record(histogram: Any, seconds: float) -> None:
    """Record a duration, at least 1 µs and at most an hour, so that no value is ever dropped."""
    histogram.record_value(_microseconds(seconds))


def bucket(seconds: float) -> int:
    """The least value, in microseconds, that a histogram does not tell from this duration."""
    microseconds = _microseconds(seconds)
    lost_bits = max(microseconds.bit_length() - _EXACT_BITS, 0)
    return microseconds >> lost_bits << lost_bits


def percentiles(histogram: Any) -> Percentiles:
    """Milliseconds read from a histogram of microseconds; zeros when it is empty."""
    if histogram.get_total_count() == 0:
        return Percentiles()
    found = histogram.get_percentile_to_value_dict([50, 95, 99])
    return Percentiles(found[50] / 1000, found[95] / 1000, found[99] / 1000, histogram.get_max_value() / 1000)


def _microseconds(seconds: float) -> int:
    return min(max(round(seconds * 1e6), 1), LONGEST_US)


def quantile(ordered: Sequence[float], q: float) -> float | None:
    """The nearest-rank quantile of sorted values, None when there are none."""
    return ordered[max(math.ceil(q * len(ordered)), 1) - 1] if ordered else None


class Interval:
    """What happened since the last look, for the line a second."""

    def __init__(self) -> None:
        self.latencies: dict[Kind, list[float]] = {"action": [], "read": []}
        self.outcomes: dict[Outcome, int] = {"ok": 0, "rejected": 0, "error": 0}

    def summary(self, seconds: float) -> dict[str, float | int | None]:
        """Rates and percentiles of the interval, under the names of `samples.jsonl`."""
        found: dict[str, float | int | None] = {
            "actions_per_s": len(self.latencies["action"]) / seconds,
            "reads_per_s": len(self.latencies["read"]) / seconds,
            "errors": self.outcomes["error"],
            "rejected": self.outcomes["rejected"],
        }
        for kind, latencies in self.latencies.items():
            ordered = sorted(latencies)
            for percent in (50, 95, 99):
                value = quantile(ordered, percent / 100)
                found[f"{kind}_p{percent}_ms"] = None if value is None else round(value * 1000, 3)
        return found


class Recorder:
    """Counts and histograms of the measured phases, gauges of the load phase, and the running interval."""

    def __init__(self) -> None:
        self._histograms: dict[Kind, Any] = {"action": new_histogram(), "read": new_histogram()}
        self._unsorted: dict[Kind, list[float]] = {"action": [], "read": []}
        self._buckets: dict[Kind, Counter[int]] = {"action": Counter(), "read": Counter()}
        self.answered: dict[Kind, int] = {"action": 0, "read": 0}
        self.rejected = 0
        self.errors = 0
        self.missed = 0
        self.gauges: dict[str, list[float]] = {"projection_lag": [], "event_id_lag": [], "backlog": []}
        self._interval = Interval()

    def request(self, kind: Kind, outcome: Outcome, seconds: float, *, measured: bool) -> None:
        """Take in a finished request. Latency is that of answered ones: a time-out is an error, not a latency."""
        self._interval.outcomes[outcome] += 1
        if outcome == "ok":
            self._interval.latencies[kind].append(seconds)
        if not measured:
            return
        if outcome == "ok":
            self.answered[kind] += 1
            self._unsorted[kind].append(seconds)
        elif outcome == "rejected":
            self.rejected += 1
        else:
            self.errors += 1

    def unserved(self, kind: Kind, seconds: float, count: int = 1) -> None:
        """Requests of a measured phase that were due and never sent: their age at the end is a lower bound of latency.

        Left out they would take the longest waits out of the percentiles.
        """
        self.missed += count
        self._buckets[kind][bucket(seconds)] += count

    @property
    def finished(self) -> int:
        """Requests of the measured phases, however they ended."""
        return sum(self.answered.values()) + self.rejected + self.errors

    @property
    def histograms(self) -> dict[Kind, Any]:
        """Latencies of the measured phases. Those since the last call are put in now: a bucket at a time, none lost."""
        self._sort()
        for kind, buckets in self._buckets.items():
            for microseconds, count in buckets.items():
                self._histograms[kind].record_value(microseconds, count)
            buckets.clear()
        return self._histograms

    def observe(self, stats: Stats, projection_lag: int) -> None:
        """Take in one sample of the load phase."""
        self.gauges["projection_lag"].append(projection_lag)
        if stats.event_id_lag is not None:
            self.gauges["event_id_lag"].append(stats.event_id_lag)
        self.gauges["backlog"].append(stats.backlog)

    def next_interval(self, seconds: float) -> dict[str, float | int | None]:
        """Summarise what happened since the last call, and start afresh."""
        interval, self._interval = self._interval, Interval()
        self._sort()
        return interval.summary(seconds)

    def _sort(self) -> None:
        for kind, latencies in self._unsorted.items():
            self._buckets[kind].update(map(bucket, latencies))
            latencies.clear()

    def throughput(self, seconds: float) -> Throughput:
        """Acknowledged actions and answered reads of the measured phases, which lasted `seconds`."""
        actions, reads = self.answered["action"], self.answered["read"]
        return Throughput(
            actions=actions,
            actions_per_s=actions / seconds if seconds > 0 else 0.0,
            reads=reads,
            reads_per_s=reads / seconds if seconds > 0 else 0.0,
            rejected=self.rejected,
            errors=self.errors,
        )

    def latency(self) -> Latency:
        """Latency of both kinds."""
        return Latency(percentiles(self.histograms["action"]), percentiles(self.histograms["read"]))

    def distribution(self, gauge: str, final: float) -> Distribution:
        """A gauge over the load phase, with its value at the end of the run."""
        ordered = sorted(self.gauges[gauge])
        p50, p95 = quantile(ordered, 0.5) or 0.0, quantile(ordered, 0.95) or 0.0
        return Distribution(p50, p95, ordered[-1] if ordered else 0.0, final)

    def event_id_lag(self, final: Stats | None) -> Lag:
        """The same of positions, which a target may leave out."""
        if final is not None and final.event_id_lag is None:
            return Lag(None, None, None, None, why=f"{NOT_TOLD}: the target's /stats has no eventIdLag")
        found = self.distribution("event_id_lag", (final and final.event_id_lag) or 0)
        return Lag(found.p50, found.p95, found.max, found.final)
