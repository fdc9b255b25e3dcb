"""`crossover.json`: for each cost of an event and each skew, pairs of trials of two strategies, and who is faster."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta

from metrics.records.result import Verdict

SCHEMA: Final = 1
FILE: Final = "crossover.json"


class Side(TypedDict):
    """One trial of a pair. `speed` is null where nothing was left to catch up with; `at_most` where it timed out."""

    strategy: str
    run_id: str
    verdict: Verdict
    speed_events_per_s: float | None
    bound: Literal["exact", "at_most"]
    events: int
    doubts: list[str]


class Cell(TypedDict):
    """One cell: `ratio` is the speed of the second side / that of the first, the median over the pairs.

    `faster` is a side, null where there is no verdict; `hint` is who looks faster with too few pairs to say.
    """

    cost_ms: float
    skew: float
    rate: float
    faster: str | None
    hint: str | None
    ratio: float | None
    bound: Literal["exact", "at_least", "at_most"]
    low: float | None
    high: float | None
    covered: float | None
    because: str
    said: str
    pairs: list[list[Side]]


class Crossover(TypedDict):
    """`crossover.json`. `sound`: every trial of the map is proven, and no cell is missing."""

    schema: int
    crossover_id: str
    scenario: str
    sound: bool
    why: str
    metric: str
    sides: Annotated[list[str], Meta(min_length=2, max_length=2)]
    strategies: list[str]
    projectors: int
    handler: str
    costs_ms: list[float]
    skews: list[float]
    pairs: int
    seed: int
    budget_s: float
    took_s: float
    settings: dict[str, Any]
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
    notes: list[str]
    cells: list[Cell]
