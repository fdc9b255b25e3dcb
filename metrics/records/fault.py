"""`fault.json`: the fault that was injected into a run, and what became of the work that it struck."""

from __future__ import annotations

from dataclasses import dataclass, field

from metrics.records.record import Record
from metrics.records.samples import Moment


@dataclass(frozen=True)
class Takeover(Record):
    """What became of the leases that the part held, by the database's clock. None: nothing had to be taken over."""

    leases_held: int = 0
    takeovers: int = 0
    takeover_s: float | None = None
    taken_over_by: str | None = None


@dataclass(frozen=True)
class Injected(Record):
    """`fault.json`: what was done when, by this machine's clock, and whether it hit."""

    fault: str
    platform: str
    what: str
    hit: bool
    holder: str
    invoked_at: Moment
    healed_at: Moment | None
    takeover: Takeover = field(default_factory=Takeover)
