"""`soak.json`: a steady load for a long time, and of each series whether it settles or compounds."""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict

SCHEMA: Final = 1
FILE: Final = "soak.json"

Verdict = Literal["settles", "compounds", "too short"]
"""Of one series, over the last half of the soak."""


class Series(TypedDict):
    """One series. `group` says what of: several are drawn in one chart. `unit` is that of all its figures.

    `level` is its median over the last half, `growth` its trend over that time, from `low` to `high` by the test,
    `allowed` what it may grow by (fall by, where less is worse: `falls`), `chance` how often no trend at all looks like
    this. `points` are of the whole load phase, thinned: seconds from its start, and the value.
    """

    name: str
    group: str
    unit: str
    verdict: Verdict
    level: float | None
    growth: float | None
    low: float | None
    high: float | None
    per_hour: float | None
    allowed: float | None
    falls: bool
    chance: float | None
    points: list[list[float]]


class Soak(TypedDict):
    """`soak.json`. `sound`: the run is proven, something was looked at, and no series compounds. `why`: it is not."""

    schema: int
    soak_id: str
    run_id: str
    scenario: str
    target: str
    strategy: str
    minutes: float
    rate: float | None
    sound: bool
    why: str
    events: int
    errors: int
    series: list[Series]
    notes: list[str]
    seed: int
    settings: dict[str, Any]
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
