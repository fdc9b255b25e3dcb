"""The records of a result bundle, `results/<run-id>/result.json`, field by field as the contract names them.

Units are in the names: `_ms`, `_s`, `_per_s`, `_percent`. All records are plain values; `Result.to_dict` is
the JSON document, `Result.from_dict` reads it back and refuses unknown, missing and ill-typed fields by name.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from metrics.files import write_whole
from metrics.reading import read, typed

SCHEMA = 1

Verdict = Literal["converged", "timed_out", "diverged", "blocked", "invalid"]


class BadRecord(ValueError):
    """A document that is not the record it should be; the message names the field."""


@dataclass(frozen=True)
class Record:
    """Base of all records: to and from plain JSON values."""

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, nested records included."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read the record back. Raises BadRecord on a missing, unknown or ill-typed field, with its place."""
        try:
            return typed(document, cls)
        except msgspec.ValidationError as error:
            raise BadRecord(f"{cls.__name__}: {error}") from None


@dataclass(frozen=True)
class Throughput(Record):
    """Load phase only, warm-up left out. `rejected` are refusals by the rules (404, 409), apart from `errors`."""

    actions: int = 0
    actions_per_s: float = 0.0
    reads: int = 0
    reads_per_s: float = 0.0
    rejected: int = 0
    errors: int = 0


@dataclass(frozen=True)
class Percentiles(Record):
    """Latency in milliseconds, read from one HDR histogram."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(frozen=True)
class Latency(Record):
    """Milliseconds from (intended) start to answer."""

    actions: Percentiles = field(default_factory=Percentiles)
    reads: Percentiles = field(default_factory=Percentiles)


@dataclass(frozen=True)
class Distribution(Record):
    """A sampled gauge over the load phase, and its value at the end of the convergence phase."""

    p50: float = 0.0
    p95: float = 0.0
    max: float = 0.0
    final: float = 0.0


@dataclass(frozen=True)
class Visibility(Record):
    """Milliseconds from the acknowledgement of a sampled write to the first read that shows it."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    samples: int = 0


@dataclass(frozen=True)
class Convergence(Record):
    """From the end of the last write to the last projected commit; `events` were projected meanwhile."""

    time_s: float = 0.0
    speed_events_per_s: float = 0.0
    events: int = 0


@dataclass(frozen=True)
class Correctness(Record):
    """What the oracles found. All counts but the two `_checked` must be 0."""

    events_checked: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    phantom: int = 0
    mismatched_rows: int = 0
    acknowledged_checked: int = 0
    acknowledged_missing: int = 0

    @property
    def faults(self) -> int:
        """The sum of the counts that must be 0."""
        return (
            self.lost
            + self.duplicated
            + self.reordered
            + self.phantom
            + self.mismatched_rows
            + self.acknowledged_missing
        )


@dataclass(frozen=True)
class Generator(Record):
    """The load generator's own state: a slow generator is never reported as a slow server.

    `dropped_points` are samples that InfluxDB never got; the bundle has them all the same.
    """

    cpu_percent: float = 0.0
    target_rate: float | None = None
    achieved_rate: float = 0.0
    saturated: bool = False
    dropped_points: int = 0


@dataclass(frozen=True)
class Result(Record):
    """One trial of one scenario in one mode, by one strategy; `warnings` are what the doctor said before it."""

    schema: int
    run_id: str
    scenario: str
    mode: Literal["serial", "parallel"]
    verdict: Verdict
    why: str
    settings: dict[str, Any]
    trial: int
    throughput: Throughput
    latency_ms: Latency
    projection_lag: Distribution
    event_id_lag: Distribution
    backlog: Distribution
    visibility_ms: Visibility
    convergence: Convergence
    correctness: Correctness
    generator: Generator
    strategy: str
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise BadRecord(f"schema {self.schema!r} is not the one this version reads, {SCHEMA}")

    @property
    def sound(self) -> bool:
        """True when the run converged and no oracle found a fault: only then are the numbers results."""
        return self.verdict == "converged" and self.correctness.faults == 0


def write_json(path: Path, document: Any) -> None:
    """Write JSON so that a reader sees the old file or the whole new one."""
    write_whole(path, json.dumps(document, indent=2, sort_keys=False, default=str) + "\n")


def read_result(path: Path) -> Result:
    """Read `result.json`. Raises BadDocument with the file and the place in it."""
    return read(path, Result, schema=SCHEMA)
