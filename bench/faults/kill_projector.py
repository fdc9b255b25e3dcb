"""A planned crash: SIGKILL to a projector in the load phase, and how long until its work went on elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.platforms import http_client
from bench.platforms.local.system import Projector, Stack
from metrics.results import Record

POLL_S: Final = 0.2


@dataclass(frozen=True)
class ProjectorKill(Record):
    """What happened, by the database's clock. `takeover_s` is None when no lease had to be taken over."""

    holder: str
    killed_at: str
    leases_held: int
    replaced: bool
    takeovers: int
    takeover_s: float | None
    taken_over_by: str | None


@dataclass(frozen=True)
class Plan:
    """Kill the first projector `after_s` seconds into the load phase, and start another if `replace`."""

    after_s: float
    replace: bool


class Fault:
    """Carries the plan out. `tick` is called again and again while the load generator runs."""

    def __init__(self, plan: Plan, stack: Stack) -> None:
        self._plan = plan
        self._stack = stack
        self._victim: Projector | None = None
        self._killed_at: datetime | None = None
        self._killed_t = 0.0
        self._leases = 0
        self._takeovers: dict[str, datetime] = {}
        self._next_look = 0.0

    def tick(self, now: float, load_since: float | None) -> None:
        """`now` and the start of the load phase in epoch seconds, None before it."""
        if self._victim is None:
            if load_since is not None and now >= load_since + self._plan.after_s:
                self._kill(now)
        elif now >= self._next_look:
            self._next_look = now + POLL_S
            self._look()

    def _kill(self, now: float) -> None:
        victim = self._stack.projectors[0]
        victim.expendable = True
        victim.kill()
        stats = http_client.stats(self._stack.base_url)
        self._victim, self._killed_t = victim, now
        if stats is not None:
            self._killed_at = datetime.fromisoformat(stats["observedAt"])
            self._leases = next((p["leasesHeld"] for p in stats["projectors"] if p["holder"] == victim.holder), 0)
        if self._plan.replace:
            self._stack.replace(victim)

    def _look(self) -> None:
        stats = http_client.stats(self._stack.base_url)
        for projector in stats["projectors"] if stats else []:
            at = projector["lastTakeoverAt"] and datetime.fromisoformat(projector["lastTakeoverAt"])
            if at and self._killed_at and at >= self._killed_at:
                self._takeovers.setdefault(projector["holder"], at)

    def outcome(self) -> ProjectorKill | None:
        """What came of it, None if the run ended before its moment."""
        if self._victim is None or self._killed_at is None:
            return None
        self._look()
        first = min(self._takeovers.items(), key=lambda item: item[1], default=None)
        return ProjectorKill(
            holder=self._victim.holder,
            killed_at=self._killed_at.isoformat(),
            leases_held=self._leases,
            replaced=self._plan.replace,
            takeovers=len(self._takeovers),
            takeover_s=(first[1] - self._killed_at).total_seconds() if first else None,
            taken_over_by=first[0] if first else None,
        )
