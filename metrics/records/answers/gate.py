"""`gate.json`, what a gate for CI said; and the baseline file that a repository commits for it."""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict

FILE: Final = "gate.json"
SCHEMA: Final = 1

Answer = Literal["ok", "better", "regression", "no verdict", "told"]
"""Of one metric; `told` is not judged."""

Verdict = Literal["ok", "regression", "no verdict", "unsound"]


class Baseline(TypedDict):
    """Trials of one sitting. `machine`, `settings` and `postgres` are what a later sitting must have alike."""

    schema: int
    method: str
    scenario: str
    mode: str
    written_at: str
    revision: str | None
    machine: dict[str, Any]
    settings: dict[str, Any]
    postgres: dict[str, Any]
    run_ids: list[str]
    metrics: dict[str, list[float]]


class Judged(TypedDict):
    """One metric: the medians of both, by what share it may be worse, and which difference counts at all."""

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    base: float | None
    now: float | None
    ratio: float | None
    tolerance: float
    floor: float
    answer: Answer
    because: str


class Required(TypedDict):
    """One `--require`: the median of the trials, and whether it is as required."""

    said: str
    value: float | None
    holds: bool
    because: str


class Gate(TypedDict):
    """`enforced`: a regression fails. `failed`: the exit code is 1. `doubts` forbid a verdict."""

    schema: int
    gate_id: str
    against: str
    verdict: Verdict
    why: str
    enforced: bool
    failed: bool
    doubts: list[str]
    run_ids: list[str]
    metrics: list[Judged]
    required: list[Required]
