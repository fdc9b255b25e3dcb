"""`verification.json`: what the re-fold oracle counted, and how long each event took to its effect."""

from __future__ import annotations

from dataclasses import dataclass, field

from metrics.records.record import Record
from metrics.records.result import Correctness, Percentiles


@dataclass(frozen=True)
class Verification(Record):
    """What the oracle saw. `projected_ms` is the time from an event's insert to its effect, by the database's clock."""

    correctness: Correctness = field(default_factory=Correctness)
    unprojected: int = 0
    projected_ms: Percentiles = field(default_factory=Percentiles)
    projected_samples: int = 0
    offenders: list[str] = field(default_factory=list)
    seconds: float = 0.0
