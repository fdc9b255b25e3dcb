"""`result.json`: verdict, settings and figures of one trial, section by section as the contract names them.

Units are in the names: `_ms`, `_s`, `_per_s`, `_percent`. A large section has a file in `metrics/records/sections`.
One that a system or a load generator may not tell is `Kind | None`, with `metadata=NOT_REQUIRED` and the default None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from msgspec import Meta

from metrics.reading import NOT_REQUIRED, read
from metrics.records.record import BadRecord, Record
from metrics.records.sections.convergence import Convergence
from metrics.records.sections.resources import Neighbours, Resources
from metrics.records.sections.staleness import Staleness, Waterfall
from metrics.records.sections.target import Proof, Target

SCHEMA = 2
METHOD = "2"
"""Version of the definitions in `docs/method.md`, which has their changelog. Two methods are not compared."""

Count = Annotated[int, Meta(ge=0)]
Figure = Annotated[float, Meta(ge=0)]
"""Without a sign: a fault that is counted below nothing would cancel another one."""

Verdict = Literal["converged", "timed_out", "diverged", "blocked", "invalid"]


@dataclass(frozen=True)
class Throughput(Record):
    """Load phase only, warm-up left out.

    `actions` and `actions_per_s` are acknowledged creates, updates and deletes, `reads` and `reads_per_s` answered
    reads. `rejected` are refusals by the rules (404, 409), apart from `errors`: time-outs, lost connections and 5xx.
    """

    actions: Count = 0
    actions_per_s: Figure = 0.0
    reads: Count = 0
    reads_per_s: Figure = 0.0
    rejected: Count = 0
    errors: Count = 0


@dataclass(frozen=True)
class Percentiles(Record):
    """Latency in milliseconds, read from one HDR histogram."""

    p50: Figure = 0.0
    p95: Figure = 0.0
    p99: Figure = 0.0
    max: Figure = 0.0


@dataclass(frozen=True)
class Latency(Record):
    """Milliseconds from (intended) start to answer: of `actions`, and of `reads`."""

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
class Lag(Record):
    """The same of a gauge that a target may leave out: None, and `why`."""

    p50: float | None = 0.0
    p95: float | None = 0.0
    max: float | None = 0.0
    final: float | None = 0.0
    why: str = field(default="", metadata=NOT_REQUIRED)


@dataclass(frozen=True)
class Visibility(Record):
    """Milliseconds from the acknowledgement of a sampled write to the first read that shows it; `samples` of them."""

    p50: Figure = 0.0
    p95: Figure = 0.0
    p99: Figure = 0.0
    max: Figure = 0.0
    samples: Count = 0


@dataclass(frozen=True)
class Correctness(Record):
    """What the oracles found. All counts but `events_checked` and `acknowledged_checked` must be 0; None is one that
    its level of proof can not see.

    Of the events: `lost` never took effect, `duplicated` took effect more than once, `reordered` after a later one of
    their stream. `phantom` are effects without an event, `mismatched_rows` rows and counters that differ from the fold
    of the events, `acknowledged_missing` acknowledged writes that a final read over HTTP lacks.
    """

    events_checked: Count = 0
    lost: Count | None = 0
    duplicated: Count | None = 0
    reordered: Count | None = 0
    phantom: Count | None = 0
    mismatched_rows: Count | None = 0
    acknowledged_checked: Count = 0
    acknowledged_missing: Count = 0

    @property
    def faults(self) -> int:
        """The sum of the counts that must be 0, as far as they were seen."""
        seen = (self.lost, self.duplicated, self.reordered, self.phantom, self.mismatched_rows)
        return sum(count or 0 for count in seen) + self.acknowledged_missing


NOT_SEEN = Correctness(lost=None, duplicated=None, reordered=None, phantom=None, mismatched_rows=None)
"""Of events and rows nothing was seen."""


@dataclass(frozen=True)
class Generator(Record):
    """The load generator's own state: a slow generator is never reported as a slow server.

    `cpu_percent` is of one core. `target_rate` is RATE, None in the closed loop; `achieved_rate` are the requests a
    second that ended. `saturated`: it was at its end, so that throughput is a lower bound of the server's.
    `dropped_points` are samples that InfluxDB never got; the bundle has them all the same. `cpu_us_per_request`: user
    and system time of all Locust processes over the load phase, for each request that ended in it; None: not told.
    `missed`: requests of the load phase that were due (open loop) and never sent; each counts in the latency with its
    age when users stopped, a lower bound. One that was sent after the load phase counts as usual. None: closed loop.
    """

    cpu_percent: float = 0.0
    target_rate: float | None = None
    achieved_rate: float = 0.0
    saturated: bool = False
    dropped_points: int = 0
    cpu_us_per_request: float | None = field(default=None, metadata=NOT_REQUIRED)
    missed: int | None = field(default=None, metadata=NOT_REQUIRED)


@dataclass(frozen=True)
class Result(Record):
    """One trial of one scenario in one mode; `warnings` are what the doctor said before it.

    `schema` is the version of this document, `method` that of the definitions of its figures. `run_id` is the name of
    its bundle, `scenario` who did what, `mode` whether events took effect in one global order. `target` is what was
    measured. `platform` is where it ran, empty where it ended before there was one. `strategy` is what its projectors
    ordered events by, `handler` how they applied them. `proof` is by which level it was proven. `verdict` is
    `converged` where the projection caught up and no oracle found a fault; `why` says what is wrong in any other.
    `settings` are the variables of the run, by their names, without secrets. `trial` is its number in its sitting.

    `throughput`, `latency_ms` and `visibility_ms` are of the load phase. `projection_lag` is |active todos − expected|,
    `event_id_lag` the last position in the store − the last projected, `backlog` the events that were not yet
    projected. `convergence` is how it caught up, `correctness` what the oracles counted, `generator` how the load
    generator was, `staleness` how late reads were, `waterfall_ms` where that time went, `resources` what it used, and
    `neighbours` what it did not have of the machine.

    `doubts` are reasons to trust its figures less, a sentence each; `note` is whoever published it speaking.
    """

    schema: int
    method: str
    run_id: str
    scenario: str
    target: Target
    platform: str
    mode: Literal["serial", "parallel"]
    strategy: str
    handler: str
    proof: Proof
    verdict: Verdict
    why: str
    settings: dict[str, Any]
    trial: int
    throughput: Throughput
    latency_ms: Latency
    projection_lag: Distribution
    event_id_lag: Lag
    backlog: Distribution
    visibility_ms: Visibility
    convergence: Convergence
    correctness: Correctness
    generator: Generator
    warnings: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    note: str = ""
    staleness: Staleness = field(default_factory=Staleness, metadata=NOT_REQUIRED)
    waterfall_ms: Waterfall = field(default_factory=Waterfall, metadata=NOT_REQUIRED)
    resources: Resources | None = field(default=None, metadata=NOT_REQUIRED)
    neighbours: Neighbours | None = field(default=None, metadata=NOT_REQUIRED)

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise BadRecord(f"schema {self.schema!r} is not the one this version reads, {SCHEMA}")

    @property
    def sound(self) -> bool:
        """True when the run converged and no oracle found a fault: only then are the numbers results."""
        return self.verdict == "converged" and self.correctness.faults == 0


def read_result(path: Path) -> Result:
    """Read `result.json`. Raises BadDocument with the file and the place in it."""
    return read(path, Result, schema=SCHEMA)


def sections() -> dict[str, type[Record]]:
    """The figures that every result has, by the names of its fields: what a load generator tells, too."""
    return {name: hint for name, hint in get_type_hints(Result).items() if _is_section(hint)}


def optional_sections() -> dict[str, type[Record]]:
    """The figures that are None where nobody told them, by the names of their fields."""
    hints = get_type_hints(Result).items()
    return {name: kind for name, hint in hints for kind in get_args(hint) if _is_section(kind)}


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Record)
