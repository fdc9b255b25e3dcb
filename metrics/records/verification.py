"""`verification.json`: what the re-fold oracle counted, and how long each event took to its effect."""

from __future__ import annotations

from dataclasses import dataclass, field

from metrics.reading import NOT_REQUIRED
from metrics.records.record import Record
from metrics.records.result import Correctness, Percentiles
from metrics.records.sections.target import Proof


@dataclass(frozen=True)
class Verification(Record):
    """What the oracle saw. `projected_ms` is the time from an event's insert to its effect, by the database's clock.

    `unprojected` is None where that is not known. `not_seen`: what the level of proof can not see, in words.
    """

    correctness: Correctness = field(default_factory=Correctness)
    unprojected: int | None = 0
    projected_ms: Percentiles = field(default_factory=Percentiles)
    projected_samples: int = 0
    offenders: list[str] = field(default_factory=list)
    seconds: float = 0.0
    level: Proof = field(default="store", metadata=NOT_REQUIRED)
    not_seen: str = field(default="", metadata=NOT_REQUIRED)
