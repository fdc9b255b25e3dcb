"""`targets.json`: stacks behind the HTTP contract, measured by turns at one sitting, a row each."""

from __future__ import annotations

from typing import Any, Final, Literal, NotRequired, TypedDict

from metrics.records.answers.drills import Drill
from metrics.records.comparison import Contrast, Spread, Value
from metrics.records.result import Verdict
from metrics.records.sections.target import Class, Proof

SCHEMA: Final = 1
FILE: Final = "targets.json"


class Figure(TypedDict):
    """A column of the table."""

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower"]


class Trial(TypedDict):
    """One run of a target. `round` from 1 on; in each, every target has a turn, in an order drawn by lot."""

    round: int
    run_id: str
    verdict: Verdict
    why: str
    faults: int
    doubts: list[str]
    values: dict[str, Value]


class Told(TypedDict):
    """What a figure of a target came to, or `why` it has none; `contrast` is against the base, null for that itself."""

    spread: Spread
    contrast: Contrast | None
    why: str


_Described = TypedDict("_Described", {"class": Class})


class Killed(TypedDict):
    """What became of a target when its projector was killed after the rounds, or why it was not."""

    kill: NotRequired[Drill]
    not_killed: NotRequired[str]


class Row(_Described, Killed):
    """One target. `verdict` is that of its worst trial: one that is not converged has no figures, and `why` says it.

    `not started` could not be run at all. `proof` is the level of its trials; `know` are its own words. `mode` and
    `strategy` are those of its trials; `path` names the folder of one that does not come with us. A `reference` keeps
    nothing: it stands apart, and gets no verdict, as whatever is not of the base's class.
    A `kill` that failed takes no figures away: they are of the trials before it.
    `durable` is told, not checked, unless `durable_checked`.
    """

    name: str
    title: str
    version: str
    store: str
    proof: Proof | Literal[""]
    capabilities: list[str]
    durable: str
    reference: NotRequired[bool]
    path: NotRequired[str]
    mode: NotRequired[str]
    strategy: NotRequired[str]
    durable_checked: NotRequired[bool]
    know: list[str]
    verdict: Verdict | Literal["not started", "not measured"]
    why: str
    figures: dict[str, Told]
    trials: list[Trial]


class LeftOut(TypedDict):
    """A target that was not measured, and what to do about it."""

    name: str
    why: str


class Targets(TypedDict):
    """`targets.json`. `sound`: every trial is proven, none is missing, and no kill failed.

    `why` it ended before its last round or kill. `faults`: so many kills of each projector were asked for. `base` is
    the target that all others are compared with; `no_verdict` says what forbids every verdict.
    """

    schema: int
    targets_id: str
    scenario: str
    sound: bool
    why: str
    no_verdict: str
    base: str
    rounds: int
    complete: int
    faults: NotRequired[int]
    needed: int
    error_rate: float
    seed: int
    took_s: float
    settings: dict[str, Any]
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
    doubts: list[str]
    notes: list[str]
    figures: list[Figure]
    rows: list[Row]
    left_out: list[LeftOut]
