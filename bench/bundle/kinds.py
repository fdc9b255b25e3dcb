"""The types of a bundle's documents, `result.json` apart, as far as anybody reads them. More fields are let pass."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired, TypedDict

from msgspec import Meta, defstruct

from metrics.records.result import Percentiles
from metrics.sinks import METRICS

Moment = Annotated[float, Meta(ge=0, le=1e11)]
"""Seconds since the epoch, within what a calendar has."""


class Machine(TypedDict):
    """`machine.json`."""

    cpu_model: str
    cores: float | None
    cores_installed: NotRequired[int | None]
    ram_gib: float
    os: str
    nice: NotRequired[int]


class Versions(TypedDict):
    """`versions.json`."""

    revision: NotRequired[str | None]
    dirty: NotRequired[bool | None]
    python: NotRequired[str]
    packages: NotRequired[dict[str, str]]


class Postgres(TypedDict):
    """`postgres.json`."""

    version: str
    source: str
    profile: NotRequired[str]
    settings: NotRequired[dict[str, str]]
    tls: NotRequired[bool | None]
    environment: NotRequired[dict[str, str]]


class Phase(TypedDict):
    """A phase of a run; `ended_at` None: it was cut off."""

    name: str
    started_at: Moment
    ended_at: Moment | None


class Stage(TypedDict):
    """A stage of the load phase."""

    users: int
    seconds: float
    actions_per_s: float
    reads_per_s: float


class Loadgen(TypedDict):
    """`loadgen.json`."""

    phases: NotRequired[list[Phase]]
    stages: NotRequired[list[Stage]]


class Verification(TypedDict):
    """`verification.json`."""

    projected_ms: Percentiles
    projected_samples: int
    offenders: list[str]


class Takeover(TypedDict):
    """What became of the leases of a projector that a fault struck."""

    takeover_s: float | None


class Fault(TypedDict):
    """`fault.json`."""

    fault: str
    what: str
    hit: bool
    invoked_at: Moment
    healed_at: Moment | None
    takeover: Takeover


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

KINDS: Final[dict[str, Any]] = {
    "machine": Machine,
    "versions": Versions,
    "postgres": Postgres,
    "loadgen": Loadgen,
    "verification": Verification,
    "fault": Fault,
}
