"""`comparison.json`: every trial of each arm, and each metric's contrasts with the first arm."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta

from metrics.records.result import Verdict

SCHEMA: Final = 1
Ratio = Annotated[float, Meta(gt=0)]
Figure = Annotated[float, Meta(ge=0)]
Bound = Literal["exact", "at_least", "at_most"]


class Value(TypedDict):
    """What one trial has for one metric."""

    value: Figure
    bound: Bound


class Trial(TypedDict):
    """One trial."""

    arm: str
    run_id: str
    trial: int
    verdict: Verdict
    why: str
    faults: int
    values: dict[str, Value]
    series: dict[str, list[float | None]]


class Spread(TypedDict):
    """One arm's trials of one metric."""

    arm: str
    trials: int
    median: Figure | None
    bound: Bound
    min: Figure | None
    max: Figure | None


class Contrast(TypedDict):
    """One arm against the first."""

    arm: str
    base: str
    answer: Literal["higher", "lower", "no verdict"]
    ratio: Ratio | None
    bound: Bound
    low: Ratio | None
    high: Ratio | None
    noise_floor: Ratio | None
    because: str


class Metric(TypedDict):
    """One metric of all arms."""

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    lead: bool
    arms: list[Spread]
    contrasts: list[Contrast]


class Comparison(TypedDict):
    """`comparison.json`."""

    schema: int
    comparison_id: str
    scenario: str
    sound: bool
    why: str
    seed: int
    arms: Annotated[list[str], Meta(min_length=1)]
    differs: dict[str, list[str]]
    doubts: list[str]
    notes: list[str]
    settings: dict[str, Any]
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
    trials: list[Trial]
    metrics: list[Metric]
