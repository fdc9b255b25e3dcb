"""A zombie: a projector that is frozen for longer than its leases last, and then goes on as if it still held them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import Part, Pause, System
from bench.trial.fault import Evidence, NotApplicable, Stats, nobody_else, require_projectors
from bench.trial.takeovers import by_leases, by_progress
from settings import strategies
from settings.catalogue.projection import Strategy

STANDS_S: Final = 2.0
"""For how long it is frozen where there is no lease that could run out."""
LONGEST_S: Final = 15.0
"""It goes on after this long, whether its leases were taken over or not."""


class Fault:
    """Hit: its leases were taken over while it was frozen; without leases, the others went on while it stood still;
    where a target tells no leases, something was left to project when it was frozen.
    """

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._leased = True
        self._victim: Part
        self._holder = ""
        self._paused_at = 0.0
        self._awake = False
        self._takeovers = by_leases.Takeovers()
        self._progress: by_progress.Progress | None = None
        self._taken_over = False
        self._before: Stats = {}
        self._others_went_on = False
        self._fenced = 0
        self._projected_again = 0
        self._rounds = 0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Somebody else must be there, and leases be short."""
        return {"PROJECTORS": "2", "LEASE_SECONDS": "2"}

    def set_up(self, system: System) -> None:
        """Needs the power to pause a projector, and two of them."""
        require_projectors(system)
        system.require("projector", Pause)
        if len(system.parts("projector")) < 2:
            raise NotApplicable("PROJECTORS", *nobody_else(system.settings, "choose another fault"))
        self._system = system
        self._leased = strategies.holds_leases(system.settings.strategy)

    def invoke(self, stats: Stats) -> bool:
        """Freeze the projector with the most leases; it goes on at once, for a better moment, where it has none."""
        if not by_leases.tells_takeovers(stats):
            return self._invoke_by_progress()
        found = by_leases.freeze_at_work(self._system, leases=self._leased)
        if found is None:
            return False
        self._victim, self._before = found
        self._holder, self._paused_at = self._victim.holder, time.monotonic()
        self._takeovers.begin(self._before, self._holder)
        return True

    def _invoke_by_progress(self) -> bool:
        """Where no leases are told: one without which the projection stands still, else whoever is there."""
        self._rounds += 1
        found = by_progress.freeze_at_work(self._system, rounds=self._rounds)
        if found is None:
            return False
        self._victim = found.part
        self._holder, self._paused_at = self._victim.holder, time.monotonic()
        self._progress = by_progress.Progress(self._system, found)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals once its leases were taken over, or the others went on without it."""
        if stats is None:
            return False
        if self._progress is not None:
            self._progress.note(stats)
            return self._progress.over and time.monotonic() - self._paused_at >= STANDS_S
        if self._awake:
            self._fenced = _count(stats, self._holder, "fenced") - _count(self._before, self._holder, "fenced")
            self._projected_again = _projected(stats, self._holder) - _projected(self._before, self._holder)
            return False
        self._takeovers.note(stats)
        stood = time.monotonic() - self._paused_at
        self._taken_over = self._takeovers.any
        self._others_went_on = stats["totalEventsProjected"] > self._before["totalEventsProjected"] and _projected(
            stats, self._holder
        ) == _projected(self._before, self._holder)
        return (self._hit and stood >= STANDS_S) or stood >= LONGEST_S

    @property
    def _hit(self) -> bool:
        return self._taken_over if self._takeovers.leases else self._others_went_on

    def heal(self) -> None:
        """Let it go on."""
        if self._progress is not None:
            self._progress.heal()
        self._system.resume(self._victim)
        self._awake = True

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What it had, what became of it, and what it did after it went on."""
        if self._progress is not None:
            return Evidence(
                hit=self._progress.in_hand and self._awake,
                what=f"{self._victim.name} was frozen (SIGSTOP) {self._progress.words()}",
                holder=self._holder,
                takeover=self._progress.told(),
            )
        told = self._takeovers.told()
        after = f"it then was fenced {self._fenced} time(s) and projected {self._projected_again} event(s)"
        return Evidence(
            hit=self._hit and self._awake,
            what=f"{self._victim.name} was frozen with {told.leases_held} lease(s); {after}",
            holder=self._holder,
            takeover=told,
        )


def _count(stats: Stats, holder: str, name: str) -> int:
    return next((int(p[name]) for p in stats["projectors"] if p["holder"] == holder), 0)


def _projected(stats: Stats, holder: str) -> int:
    return _count(stats, holder, "eventsProjected")
