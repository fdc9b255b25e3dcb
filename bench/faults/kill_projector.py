"""SIGKILL to a projector at work: another takes its work over, and what it had in hand takes effect once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import Kill, Part, Pause, Start, System
from bench.trial.fault import Evidence, Stats, require_projectors
from bench.trial.takeovers import by_leases, by_progress
from settings import strategies
from settings.catalogue.projection import Strategy

MOST_LOOKS: Final = 40
"""So often a moment is waited for when the projector has leases in hand; then it is killed whatever it does."""


class Fault:
    """Hit: the killed projector held leases, or the backlog stood still after its end; where a target tells no leases,
    something was left to project when it was killed.
    """

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._victim: Part
        self._leased = True
        self._holder = ""
        self._looks = 0
        self._takeovers = by_leases.Takeovers()
        self._progress: by_progress.Progress | None = None
        self._projected: int | None = None
        self._stood_still = False

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """With leases, or where that is not told, there is another projector; without, nobody else, so that the backlog
        is seen to stand still.
        """
        another = strategy == strategies.NOT_TOLD or strategies.holds_leases(strategy)
        return {"PROJECTORS": "2" if another else "1"}

    def set_up(self, system: System) -> None:
        """Needs all powers over a projector."""
        require_projectors(system)
        system.require("projector", Kill, Start, Pause)
        self._system = system
        self._leased = strategies.holds_leases(system.settings.strategy)

    def invoke(self, stats: Stats) -> bool:
        """Kill the projector that has the most leases in hand, frozen first, so that it still has them then; where they
        are not told, one without which the projection stands still.
        """
        self._looks += 1
        if not by_leases.tells_takeovers(stats):
            return self._invoke_by_progress()
        found = by_leases.freeze_at_work(self._system, leases=self._leased and self._looks < MOST_LOOKS)
        if found is None:
            return False
        self._victim, seen = found
        self._holder = self._victim.holder
        self._system.kill(self._victim)
        self._takeovers.begin(seen, self._holder)
        return True

    def _invoke_by_progress(self) -> bool:
        found = by_progress.freeze_at_work(self._system, rounds=self._looks)
        if found is None:
            return False
        self._victim = found.part
        self._holder = self._victim.holder
        self._system.kill(self._victim)
        self._progress = by_progress.Progress(self._system, found)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals once it has been seen whether the backlog stands still, or whether somebody takes over."""
        if stats is None:
            return False
        if self._progress is not None:
            self._progress.note(stats)
            return self._progress.over
        self._takeovers.note(stats)
        before, self._projected = self._projected, stats["totalEventsProjected"]
        self._stood_still |= before == self._projected and stats["backlog"] > 0
        return before is not None

    def heal(self) -> None:
        """Start it again."""
        if self._progress is not None:
            self._progress.heal()
        self._system.start(self._victim)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """Leases in hand, or a backlog that stood still."""
        if self._progress is not None:
            return Evidence(
                hit=self._progress.in_hand,
                what=f"{self._victim.name} was killed (SIGKILL) {self._progress.words()}",
                holder=self._holder,
                takeover=self._progress.told(),
            )
        told = self._takeovers.told()
        still = ", and the backlog stood still" if self._stood_still else ""
        return Evidence(
            hit=bool(told.leases_held) or self._stood_still,
            what=f"{self._victim.name} was killed (SIGKILL) with {told.leases_held} lease(s){still}",
            holder=self._holder,
            takeover=told,
        )
