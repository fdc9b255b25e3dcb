"""`comparison.json`: every trial of each arm, and each metric's contrasts with the first arm, pair by pair."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta

from metrics.records.result import Verdict

SCHEMA: Final = 2
Ratio = Annotated[float, Meta(gt=0)]
Figure = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Bound = Literal["exact", "at_least", "at_most"]


class Value(TypedDict):
    """What one trial has for one metric."""

    value: Figure
    bound: Bound


class Trial(TypedDict):
    """One trial."""

    arm: str
    run_id: str
    pair: int
    """Which pair it is of, from 1 on; with several arms, which turn of all. The trials are in the order of time."""
    verdict: Verdict
    why: str
    faults: int
    doubts: list[str]
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
    """One arm against the first: `ratio` is the median of `ratios`, of which each pair that has both values gives one.

    `low` to `high` holds the true ratio with the chance `covered`; `p` is adjusted for all metrics of this arm, and
    for the number of arms. `hint` is where it points when there are too few pairs for an answer.
    """

    arm: str
    base: str
    answer: Literal["higher", "lower", "no verdict"]
    hint: Literal["higher", "lower", ""]
    pairs: int
    ratios: list[Ratio]
    ratio: Ratio | None
    bound: Bound
    low: Ratio | None
    high: Ratio | None
    covered: Share | None
    noise_floor: Ratio | None
    p: Share | None
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


class Pairs(TypedDict):
    """How many pairs were asked for, how many are complete, and how many a verdict takes.

    `drawn`: whether the order within each was drawn by lot, as in a sitting; of bundles it is as it was. `error_rate`:
    in how many of the comparisons in which nothing differs some metric is told to differ.
    """

    planned: int
    complete: int
    needed: int
    drawn: bool
    error_rate: Share


class Comparison(TypedDict):
    """`comparison.json`. `no_verdict` says what forbids every verdict of it; empty where nothing does."""

    schema: int
    comparison_id: str
    scenario: str
    sound: bool
    why: str
    no_verdict: str
    seed: int
    pairs: Pairs
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
