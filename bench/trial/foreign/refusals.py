"""What the load generator says of writes that were refused, or whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unacknowledged(loadgen: Mapping[str, Any]) -> int:
    """Writes that were answered with a status of 500 or more, or not at all."""
    return int(loadgen.get("acknowledged", {}).get("indeterminate", 0))


def refusals(loadgen: Mapping[str, Any]) -> str:
    """The same in words, with all failed requests by their kind where these are told."""
    kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(loadgen.get("errors", {}).items()))
    failed = f"; failed requests by kind: {kinds}" if kinds else ""
    return f"{unacknowledged(loadgen)} write(s) were not acknowledged{failed}"


def slowest_s(loadgen: Mapping[str, Any]) -> float:
    """How long the slowest answered request took."""
    latency = loadgen.get("latency_ms", {})
    return max((float(part.get("max", 0.0)) for part in latency.values()), default=0.0) / 1000
