"""`loadgen.json`: what the load generator measured and how it judged, before the oracle has spoken.

Its figures are the sections of a result. More fields are let pass.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from metrics.records.result import Verdict
from metrics.records.samples import Moment


class Phase(TypedDict):
    """A phase of a run; `ended_at` None: it was cut off."""

    name: str
    started_at: Moment
    ended_at: Moment | None


class Stage(TypedDict):
    """A stage of the load phase."""

    users: int
    mix: NotRequired[str]
    seconds: float
    actions_per_s: float
    reads_per_s: float


class Loadgen(TypedDict):
    """The document, the sections of a result left out; a run that was broken off early lacks some.

    `errors` are the failed requests of the whole run by kind, warm-up and convergence included.
    """

    verdict: NotRequired[Verdict]
    why: NotRequired[str]
    strategies: NotRequired[list[str]]
    handlers: NotRequired[list[str]]
    read_models: NotRequired[list[str]]
    phases: NotRequired[list[Phase]]
    settings: NotRequired[dict[str, Any]]
    acknowledged: NotRequired[dict[str, int]]
    errors: NotRequired[dict[str, int]]
    stages: NotRequired[list[Stage]]
    scheduler_delay_p99_ms: NotRequired[float | None]
    last_projected_at: NotRequired[float | None]
    influx: NotRequired[dict[str, Any] | None]
    probe: NotRequired[dict[str, float | None]]
    missing: NotRequired[dict[str, str]]
