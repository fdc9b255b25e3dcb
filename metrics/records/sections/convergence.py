"""`convergence` of `result.json`: how long the projection took to be right again, and how fast it caught up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from metrics.reading import NOT_REQUIRED
from metrics.records.record import Record


@dataclass(frozen=True)
class Convergence(Record):
    """How the projection caught up.

    `time_s` is from the later of the last write's commit and the projectors' release to the last projected commit.
    `held_s`: for how long all projectors stood still before. `events` were left then. `speed_events_per_s` is None
    where it would be nothing by no time; `why` says why that is so, or why there was no hold. The
    release is known to `resolution_s`, and `time_s` is rather too long than too short by that. `until`: where no
    projector told of its commits, the time ends with the effect that was written last, before its commit.
    """

    time_s: float = 0.0
    speed_events_per_s: float | None = None
    events: int = 0
    held_s: float = 0.0
    why: str = ""
    resolution_s: float | None = field(default=None, metadata=NOT_REQUIRED)
    until: Literal["commit", "effect"] = field(default="effect", metadata=NOT_REQUIRED)
