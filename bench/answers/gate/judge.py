"""The gate's answers: worse than the baseline by more than a tolerance and a floor, and by more than noise? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.compare.metrics import METRICS, Metric
from metrics.records.answers.gate import Answer, Judged, Verdict
from metrics.records.comparison import Comparison
from metrics.records.comparison import Metric as Compared

TOLERANCE: Final = 0.1
FLOORS: Final[Mapping[str, float]] = {"ms": 0.1, "s": 0.05, "events": 10.0}
"""By unit: smaller differences do not count, however large a share they are."""
DOUBTED: Final = "trials are in doubt, or too few"
FEWEST: Final = 3
"""Trials of each sitting, below which a file gives no verdict."""


@dataclass(frozen=True)
class Bounds:
    """By metric: by what share it may be worse, and the least difference that counts. What is named is judged."""

    tolerances: Mapping[str, float] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)

    def judges(self, metric: Metric) -> bool:
        """The leading metrics, and those that were named."""
        return metric.lead or metric.name in self.tolerances or metric.name in self.floors

    def tolerance(self, metric: Metric) -> float:
        """As a share: 0.1 is 10 %."""
        return self.tolerances.get(metric.name, TOLERANCE)

    def floor(self, metric: Metric) -> float:
        """In the metric's unit."""
        return self.floors.get(metric.name, FLOORS.get(metric.unit, 0.0))

    def exceeded(self, metric: Metric, base: float, now: float) -> bool:
        """Whether the difference, in either direction, is beyond both."""
        return abs(now - base) > max(self.floor(metric), self.tolerance(metric) * base)


def against_file(
    base: Mapping[str, Sequence[float]], now: Mapping[str, Sequence[float]], bounds: Bounds, doubt: str
) -> list[Judged]:
    """Medians of two sittings. Beyond the bounds it takes trials that do not overlap; `doubt` forbids every verdict."""
    return [_of_file(metric, base.get(metric.name, ()), now.get(metric.name, ()), bounds, doubt) for metric in METRICS]


def _of_file(metric: Metric, base: Sequence[float], now: Sequence[float], bounds: Bounds, doubt: str) -> Judged:
    if not base or not now:
        answer: Answer = "no verdict" if base or now else "told"
        return _judged(metric, bounds, None, None, answer, "not told by every side")
    before, after, because = median(base), median(now), ""
    apart = min(now) > max(base) or max(now) < min(base)
    if doubt:
        answer, because = "no verdict", DOUBTED
    elif not bounds.exceeded(metric, before, after):
        answer = "ok"
    elif min(len(base), len(now)) < FEWEST:
        answer, because = "no verdict", f"fewer than {FEWEST} trials"
    elif not apart:
        answer, because = "no verdict", "the trials of both sides overlap"
    else:
        answer = _direction(metric, before, after)
    return _judged(metric, bounds, before, after, answer, because)


def against_revision(comparison: Comparison, bounds: Bounds) -> list[Judged]:
    """Pairs of one sitting: worse by the exact interval of the comparison, and beyond the bounds."""
    by_name = {metric["name"]: metric for metric in comparison["metrics"]}
    few = comparison["pairs"]["complete"] < comparison["pairs"]["needed"]
    doubt = comparison["no_verdict"] or DOUBTED * few
    return [_of_pairs(metric, by_name.get(metric.name), doubt, bounds) for metric in METRICS]


def _of_pairs(metric: Metric, told: Compared | None, doubt: str, bounds: Bounds) -> Judged:
    """Beyond the bounds it takes a difference that is shown; `ok` is a median within them, as of a file's trials."""
    if told is None:
        return _judged(metric, bounds, None, None, "no verdict", doubt or "not told by every side")
    before, after = (arm["median"] for arm in told["arms"])
    (found,) = told["contrasts"]
    answer: Answer = "ok"
    because = ""
    if before is None and after is None:
        answer, because = "told", "measured on neither side"
    elif before is None or after is None or doubt:
        answer, because = "no verdict", DOUBTED if doubt else found["because"]
    elif found["answer"] != "no verdict" and bounds.exceeded(metric, before, after):
        answer = "better" if found["answer"] == metric.better else "regression"
    elif found["answer"] != "no verdict":
        because = "a difference is shown, within the bounds"
    elif any(bounds.exceeded(metric, before, now) for now in (after, before * (found["ratio"] or 1))):
        answer, because = "no verdict", f"beyond the bounds, and not shown: {found['because']}"
    else:
        because = f"the median is within the bounds; no difference shown: {found['because']}"
    return _judged(metric, bounds, before, after, answer, because, found["ratio"])


def _direction(metric: Metric, before: float, after: float) -> Answer:
    return "better" if (after > before) == (metric.better == "higher") else "regression"


def _judged(
    metric: Metric,
    bounds: Bounds,
    base: float | None,
    now: float | None,
    answer: Answer,
    because: str,
    ratio: float | None = None,
) -> Judged:
    if not bounds.judges(metric):
        answer, because = "told", ""
    return {
        "name": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "better": metric.better,
        "base": base,
        "now": now,
        "ratio": ratio if ratio is not None else now / base if base and now is not None else None,
        "tolerance": bounds.tolerance(metric),
        "floor": bounds.floor(metric),
        "answer": answer,
        "because": because,
    }


def verdict(metrics: Sequence[Judged], why: str) -> Verdict:
    """Of the whole: the gravest. `why` says why the trials are unsound."""
    if why:
        return "unsound"
    answers = [metric["answer"] for metric in metrics]
    return "regression" if "regression" in answers else "no verdict" if "no verdict" in answers else "ok"
