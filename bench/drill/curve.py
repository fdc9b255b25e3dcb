"""What the samples of a repetition show around its strike: throughput and staleness by the second, and their worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from metrics.records.answers.drills import Curve
from metrics.records.fault import Injected

Sample = Mapping[str, Any]


def curve(run_id: str, fault: Injected, samples: Iterable[Sample]) -> Curve | None:
    """Of the load phase alone, for nobody writes after it; None where it has no sample."""
    seconds = [sample for sample in samples if sample["phase"] == "load"]
    if not seconds:
        return None
    struck, healed = fault.invoked_at, fault.healed_at
    return {
        "run_id": run_id,
        "healed_s": None if healed is None else round(healed - struck, 2),
        "t_s": [round(sample["t"] - struck, 2) for sample in seconds],
        "actions_per_s": [_rounded(sample.get("actions_per_s")) for sample in seconds],
        "reads_per_s": [_rounded(sample.get("reads_per_s")) for sample in seconds],
        "stale_ms": [_stale_ms(sample) for sample in seconds],
    }


def unacknowledged_s(samples: Iterable[Sample], since: float) -> float | None:
    """The longest span of the load phase from then on in which no action was acknowledged, by whole samples.

    None where none was acknowledged in all of that phase: then nobody wrote.
    """
    most = span = 0.0
    before, wrote = since, False
    for sample in samples:
        began, before = max(before, since), sample["t"]
        rate = sample.get("actions_per_s") if sample["phase"] == "load" else None
        wrote |= bool(rate)
        span = span + before - began if rate == 0 and before > since else 0.0
        most = max(most, span)
    return most if wrote else None


def worst(samples: Iterable[Sample], fault: Injected) -> dict[str, float | None]:
    """The worst second's p99 of write to visible in the load phase: before the strike, until it healed, and after."""
    spans: dict[str, list[float]] = {"before": [], "during": [], "after": []}
    begun, healed = fault.invoked_at, fault.healed_at or fault.invoked_at
    for sample in samples:
        if sample["phase"] == "load" and (p99 := sample.get("visibility_p99_ms")) is not None:
            name = "before" if sample["t"] < begun else "during" if sample["t"] <= healed + 1 else "after"
            spans[name].append(p99)
    return {name: max(values, default=None) for name, values in spans.items()}


def longest(spans: Sequence[float | None]) -> float | None:
    """The longest one that is known."""
    return max((span for span in spans if span is not None), default=None)


def _stale_ms(sample: Sample) -> float | None:
    return _rounded(longest([sample.get("visibility_p99_ms"), sample.get("unseen_age_ms")]))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
