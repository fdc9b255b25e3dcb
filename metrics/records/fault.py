"""`fault.json`: the fault that was injected into a run, and what became of the work that it struck."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from metrics.reading import NOT_REQUIRED
from metrics.records.record import Record
from metrics.records.samples import Moment


@dataclass(frozen=True)
class Takeover(Record):
    """What became of the work that the part held. `by` leases: as `/stats` tells of them, by the database's clock.

    By progress: the first event that took effect while the part was out, by this machine's clock, known to
    `resolution_s`; `none_within_s`: for so long nobody went on. None: nothing had to be taken over, or it is one of
    `not_told`, with the reason where it is the takeover: others that work on do not show one.
    """

    leases_held: int | None = 0
    takeovers: int | None = 0
    takeover_s: float | None = None
    taken_over_by: str | None = None
    by: Literal["leases", "progress"] = field(default="leases", metadata=NOT_REQUIRED)
    none_within_s: float | None = field(default=None, metadata=NOT_REQUIRED)
    resolution_s: float | None = field(default=None, metadata=NOT_REQUIRED)
    not_told: list[str] = field(default_factory=list, metadata=NOT_REQUIRED)


@dataclass(frozen=True)
class Injected(Record):
    """`fault.json`: what was done when, by this machine's clock, and whether it hit.

    `right_again_s`: from the heal to the first look that saw as many events projected as there had been at the first
    look after it; None where that was not seen. From the strike on, by looks at `/stats` every 0.2 s:
    `projection_stall_s`, the longest that the projection stood still with work left, rather too short, and
    `api_silence_s`, the longest from one answer of the API to the next with a look in vain between, or until a late
    answer, rather too long. None: an older document.
    """

    fault: str
    platform: str
    what: str
    hit: bool
    holder: str
    invoked_at: Moment
    healed_at: Moment | None
    takeover: Takeover = field(default_factory=Takeover)
    right_again_s: float | None = field(default=None, metadata=NOT_REQUIRED)
    projection_stall_s: float | None = field(default=None, metadata=NOT_REQUIRED)
    api_silence_s: float | None = field(default=None, metadata=NOT_REQUIRED)
