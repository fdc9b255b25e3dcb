"""A change of mode with a backlog: serial to parallel, or parallel to serial, and back.

There: all projectors are stopped in order, a backlog gathers, and they start with the other strategy. Back: they are
exchanged one after another, so that both strategies are at work at once for a moment (ADR 0013).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import Change, Part, Start, System
from bench.trial.fault import Evidence, NotApplicable, Stats, require_projectors
from settings import strategies
from settings.catalogue.projection import SERIAL_PROJECTION, STRATEGY, Strategy

BACKLOG: Final = 20
"""Events that wait when the other strategy begins."""
WORKS_S: Final = 1.0
"""For how long the other one works, once it has begun to."""
LONGEST_S: Final = 15.0


class Fault:
    """Hit: a backlog stood when the mode was changed, and both strategies projected events, each once it had begun."""

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._own: Strategy
        self._other: Strategy
        self._changed_at: float | None = None
        self._backlog = 0
        self._changed: list[Part] = []
        self._stopped_at = 0.0
        self._began_at = 0
        self._there = 0
        self._healed = False
        self._back_at: int | None = None
        self._back = 0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Two projectors, so that both strategies can be at work at once, and time to start each of them twice more."""
        return {"PROJECTORS": "2", "DURATION": "40s"}

    def set_up(self, system: System) -> None:
        """Needs two modes, and the power to start a projector with another one."""
        require_projectors(system)
        target = system.settings.target
        if not target.ours:
            raise NotApplicable("TARGET", f"{target.name} has no strategies of ours", "choose another fault")
        system.require("projector", Start, Change)
        self._system, self._own = system, system.settings.strategy
        serial = strategies.is_serial(self._own)
        self._other = strategies.IN_PARALLEL if serial else strategies.IN_SERIAL

    def invoke(self, stats: Stats) -> bool:
        """Stop all projectors in order."""
        for part in self._projectors():
            self._changed.append(part)
            self._system.stop(part)
        self._stopped_at = time.monotonic()
        return True

    def watch(self, stats: Stats | None) -> bool:
        """Start the other strategy once there is a backlog; it heals when that one has worked for a while."""
        if stats is None:
            return False
        if self._healed:
            self._note_back(stats)
            return False
        if self._changed_at is None:
            self._change(stats)
            return False
        # Nobody else was there since it began; what projectors tell of themselves is as old as their heartbeats.
        self._there = _projected(stats) - self._began_at
        since = time.monotonic() - self._changed_at
        return (since >= WORKS_S and self._there > 0) or since >= LONGEST_S

    def _change(self, stats: Stats) -> None:
        backlog = int(stats["backlog"])
        if backlog < BACKLOG and time.monotonic() - self._stopped_at < LONGEST_S:
            return
        self._backlog, self._began_at = backlog, _projected(stats)
        serial = SERIAL_PROJECTION.spell(strategies.is_serial(self._other))
        told = {STRATEGY.name: self._other, SERIAL_PROJECTION.name: serial}
        for part in self._changed:
            self._system.start_with(part, told)
        self._changed_at = time.monotonic()

    def _note_back(self, stats: Stats) -> None:
        """What its own strategy did: by the heartbeats of the projectors of now, and since the last was exchanged."""
        total = _projected(stats)
        self._back_at = total if self._back_at is None else self._back_at
        holders = {part.holder for part in self._projectors()}
        told = [one for one in stats["projectors"] if one["holder"] in holders and one["strategy"] == self._own]
        self._back = max(self._back, total - self._back_at, sum(int(one["eventsProjected"]) for one in told))

    def heal(self) -> None:
        """Exchange them one after another for projectors of the run's own strategy."""
        self._healed = True
        while self._changed:
            self._system.restart(self._changed[0])
            self._changed.pop(0)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """The backlog, and what each strategy did: the other one there, its own one after the way back."""
        return Evidence(
            hit=self._backlog > 0 and self._there > 0 and self._back > 0,
            what=f"{self._own} to {self._other} with a backlog of {self._backlog:,} event(s), and back, both at work "
            f"for a moment: {self._there:,} and {self._back:,} event(s) were projected",
        )

    def _projectors(self) -> list[Part]:
        return self._system.parts("projector")


def _projected(stats: Stats) -> int:
    return int(stats["totalEventsProjected"])
