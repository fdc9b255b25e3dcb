"""What a program prints at its end: its figures as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence


def report(**figures: float) -> None:
    """Print the figures as the last line."""
    print(json.dumps(figures))


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and max of durations. Raises ValueError when there are none."""
    ordered = sorted(seconds)
    if not ordered:
        raise ValueError("nothing was timed")
    last = len(ordered) - 1
    return {
        "p50": ordered[round(last * 0.5)] * 1000,
        "p99": ordered[round(last * 0.99)] * 1000,
        "max": ordered[-1] * 1000,
    }
