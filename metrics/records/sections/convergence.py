"""`convergence` of `result.json`: how long the projection took to be right again, and how fast it caught up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from metrics.reading import NOT_REQUIRED
from metrics.records.record import Record

Until = Literal["commit", "effect", "seen"]
"""What ended a convergence, as exactly as it is known."""


@dataclass(frozen=True)
class Convergence(Record):
    """How the projection caught up.

    `time_s` is from the later of the last write's commit and the projectors' release to the last projected commit.
    `held_s`: for how long all projectors stood still before. `events` were left then. `speed_events_per_s` is None
    where it would be nothing by no time; `why` says why that is so, or why there was no hold. The
    release is known to `resolution_s`, and `time_s` is rather too long than too short by that. `until`: where no
    projector told of its commits, the time ends with the effect that was written last, before its commit; where the
    target does not tell that either, it ends when the load generator had *seen* the end, and begins when its last
    acknowledged write was sent: then `resolution_s` has the interval between two looks in it.
    """

    time_s: float = 0.0
    speed_events_per_s: float | None = None
    events: int = 0
    held_s: float = 0.0
    why: str = ""
    resolution_s: float | None = field(default=None, metadata=NOT_REQUIRED)
    until: Until = field(default="effect", metadata=NOT_REQUIRED)
