"""The types of `results/perf/latest.json` and `cost.json`, the figures of `task perf`."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from metrics.records.surroundings import Machine

Figures = dict[str, float | None]


class Target(TypedDict):
    """Whether a row reaches one of its targets."""

    target: str
    measured: float | None
    holds: bool


class What(TypedDict):
    """What each side is, and what the readings of ours pass through."""

    server: str
    client: str
    strategy: str
    ours: str
    reference: str


class Peer(TypedDict):
    """A peer's figure beside ours."""

    value: float | None
    ratio: float | None
    from_this_run: bool


class Row(TypedDict):
    """One row."""

    name: str
    title: str
    unit: str
    better: str
    holds: bool
    ours: float | None
    reference: float | None
    peer: float | None
    ratio_to_reference: float | None
    ratio_to_peer: float | None
    spread: float | None
    what: What
    targets: list[Target]
    figures: dict[str, Figures]
    peers: dict[str, Peer]
    trials: dict[str, list[float]]
    note: str
    neighbours_share: NotRequired[dict[str, list[float]]]
    """What other processes and the host took of the machine during each reading of a side, as in a result."""
    doubts: NotRequired[list[str]]
    verdict: NotRequired[str]
    """`holds`, `does not hold`, or `in doubt`: `holds` is by the figures alone."""


class Built(TypedDict):
    """What the rows were measured with."""

    revision: str | None
    python: str
    packages: dict[str, str]
    postgres: str
    peers: dict[str, str]


class Conditions(TypedDict):
    """What all rows were measured under."""

    postgres: str
    http_client: str


class Perf(TypedDict):
    """`latest.json`; without rows, nothing else need be there."""

    rows: list[Row]
    machine: NotRequired[Machine]
    versions: NotRequired[Built]
    settings: NotRequired[Conditions]
    measured_at: NotRequired[str]
    quick: NotRequired[bool]


class Line(TypedDict):
    """One figure of the cost report."""

    what: str
    value: float
    unit: str


class Cost(TypedDict):
    """`cost.json`."""

    lines: list[Line]
    neighbours_share: NotRequired[dict[str, list[float]]]
    doubts: NotRequired[list[str]]
