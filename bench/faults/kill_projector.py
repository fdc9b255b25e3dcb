"""SIGKILL to a projector at work: its leases run out and are taken over, and what it had in hand takes effect once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import Kill, Part, Pause, Start, System
from bench.trial.fault import Evidence, Stats
from bench.trial.takeovers import Takeovers, freeze_at_work
from settings import strategies
from settings.catalogue.projection import Strategy

MOST_LOOKS: Final = 40
"""So often a moment is waited for when the projector has leases in hand; then it is killed whatever it does."""


class Fault:
    """Hit: the killed projector held leases, or the backlog stood still after its end."""

    def __init__(self) -> None:
        self._system: System
        self._victim: Part
        self._leased = True
        self._holder = ""
        self._looks = 0
        self._takeovers = Takeovers()
        self._projected: int | None = None
        self._stood_still = False

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """With leases there is another projector; without, nobody else, so that the backlog is seen to stand still."""
        return {"PROJECTORS": "2" if strategies.holds_leases(strategy) else "1"}

    def set_up(self, system: System) -> None:
        """Needs all powers over a projector."""
        system.require("projector", Kill, Start, Pause)
        self._system = system
        self._leased = strategies.holds_leases(system.settings.strategy)

    def invoke(self, stats: Stats) -> bool:
        """Kill the projector that has the most leases in hand, frozen first, so that it still has them then."""
        self._looks += 1
        found = freeze_at_work(self._system, leases=self._leased and self._looks < MOST_LOOKS)
        if found is None:
            return False
        self._victim, seen = found
        self._holder = self._victim.holder
        self._system.kill(self._victim)
        self._takeovers.begin(seen, self._holder)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals once it has been seen whether the backlog stands still."""
        if stats is None:
            return False
        self._takeovers.note(stats)
        before, self._projected = self._projected, stats["totalEventsProjected"]
        self._stood_still |= before == self._projected and stats["backlog"] > 0
        return before is not None

    def heal(self) -> None:
        """Start it again."""
        self._system.start(self._victim)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """Leases in hand, or a backlog that stood still."""
        told = self._takeovers.told()
        still = ", and the backlog stood still" if self._stood_still else ""
        return Evidence(
            hit=told.leases_held > 0 or self._stood_still,
            what=f"{self._victim.name} was killed (SIGKILL) with {told.leases_held} lease(s){still}",
            holder=self._holder,
            takeover=told,
        )
