"""`capacity.json`: for each strategy and number of projectors, every rung of the search, and the interval found."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta

from metrics.records.result import Verdict

SCHEMA: Final = 1
FILE: Final = "capacity.json"
UNIT: Final = "requests/s"
"""Of every rate: arrivals of the open loop, reads and writes alike (RATE)."""

Rate = Annotated[float, Meta(gt=0)]


class Rung(TypedDict):
    """One trial at one rate. `slope` is of the backlog, in events a second, with its 95 % interval; null: not told."""

    rate: Rate
    purpose: Literal["ladder", "bisect", "confirm", "beyond"]
    outcome: Literal["holds", "fails", "unsound", "doubtful", "void"]
    reasons: list[str]
    doubts: list[str]
    run_id: str
    verdict: Verdict
    seconds: float
    requests_per_s: float
    actions_per_s: float
    errors: int
    visible_p99_ms: float | None
    visible_samples: int
    slope: float | None
    slope_low: float | None
    slope_high: float | None
    cpu_percent: float


class Curve(TypedDict):
    """One strategy, or another target by its name, with so many projectors.

    It holds at `holds` and fails at `fails`; null where no rate was found.

    `confirmed` of three trials held at the one end, `checked` of two failed beyond it. `end`: what ended the search.
    """

    strategy: str
    projectors: int
    holds: Rate | None
    fails: Rate | None
    confirmed: int
    checked: int
    end: Literal["found", "budget", "generator", "most", "least", "doubts", "void", "interrupted"]
    actions_per_s: float | None
    said: str
    rungs: list[Rung]


class Load(TypedDict):
    """Replicas by load: so many projectors are the fewest that were confirmed to hold this rate."""

    strategy: str
    up_to: Rate
    projectors: int


class Capacity(TypedDict):
    """`capacity.json`. `sound`: every search has a rate that holds, and no oracle found a fault in any trial."""

    schema: int
    capacity_id: str
    scenario: str
    sound: bool
    why: str
    unit: str
    visible_p99_ms: float
    write_ratio: float
    seed: int
    budget_s: float
    took_s: float
    settings: dict[str, Any]
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
    notes: list[str]
    curves: list[Curve]
    replicas_by_load: list[Load]
