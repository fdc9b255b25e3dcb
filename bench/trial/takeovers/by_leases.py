"""Leases that change hands after a projector was struck, as `/stats` tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bench.platforms import http_client
from bench.platforms.platform import Part, System
from bench.trial.fault import Stats
from metrics.records.fault import Takeover


def tells_takeovers(stats: Stats) -> bool:
    """Whether this target's `/stats` tells which projector holds and takes over leases, and when that was."""
    projectors = stats.get("projectors") or []
    return "observedAt" in stats and bool(projectors) and all("lastTakeoverAt" in one for one in projectors)


def leases_held(stats: Stats, holder: str) -> int:
    """Leases of one projector, 0 for one that is not known as alive."""
    return next((int(p["leasesHeld"]) for p in stats["projectors"] if p["holder"] == holder), 0)


def busiest(parts: Sequence[Part], stats: Stats) -> Part:
    """The projector with the most leases in hand; the first where none has any."""
    return max(parts, key=lambda part: leases_held(stats, part.holder))


def freeze_at_work(system: System, *, leases: bool) -> tuple[Part, Stats] | None:
    """Freeze the busiest projector if it has work in hand, and say what is seen then.

    `leases`: it must hold one; what it has does not change any more, so what is seen is true. None, with the projector
    at work again, where it has nothing, or nothing is seen.
    """
    before = http_client.figures(system.base_url)
    if before is None:
        return None
    part = busiest(system.parts("projector"), before)
    system.pause(part)
    after = http_client.figures(system.base_url)
    if after is None or (leases and not leases_held(after, part.holder)):
        system.resume(part)
        return None
    return part, after


class Takeovers:
    """First takeover of each projector since a projector was struck, by the database's clock."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._leases = 0
        self._seen: dict[str, datetime] = {}

    def begin(self, stats: Stats, holder: str) -> None:
        """`holder` was struck, and this was seen at once afterwards."""
        self._since = datetime.fromisoformat(stats["observedAt"])
        self._leases = leases_held(stats, holder)

    @property
    def leases(self) -> int:
        """How many leases the struck projector had in hand."""
        return self._leases

    def note(self, stats: Stats) -> None:
        """Take in what is seen now."""
        for projector in stats["projectors"]:
            at = projector["lastTakeoverAt"] and datetime.fromisoformat(projector["lastTakeoverAt"])
            if at and self._since and at >= self._since:
                self._seen.setdefault(projector["holder"], at)

    @property
    def any(self) -> bool:
        """True once somebody took over."""
        return bool(self._seen)

    def told(self) -> Takeover:
        """Counts, and the time to the first one."""
        first = min(self._seen.items(), key=lambda item: item[1], default=None)
        return Takeover(
            leases_held=self._leases,
            takeovers=len(self._seen),
            takeover_s=(first[1] - self._since).total_seconds() if first and self._since else None,
            taken_over_by=first[0] if first else None,
        )
