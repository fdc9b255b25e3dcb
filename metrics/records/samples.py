"""`samples.jsonl`: one line a second, with any metric of the catalogue."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, defstruct

from metrics.sinks import METRICS

Moment = Annotated[float, Meta(ge=0, le=1e11)]
"""Seconds since the epoch, within what a calendar has."""

Sample: Final = defstruct(
    "Sample",
    [
        ("t", Moment),
        ("elapsed_s", float),
        ("phase", str),
        *((name, float | None, None) for name in sorted(METRICS - {"elapsed_s"})),
    ],
)
"""A line of `samples.jsonl`: every metric of the catalogue may be there."""
