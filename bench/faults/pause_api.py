"""A stall: the API stands still for two seconds and goes on. A closed loop hides most of it, an open loop shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import Part, Pause, System
from bench.trial.fault import Evidence, Stats
from settings.catalogue.projection import Strategy

STANDS_S: Final = 2.0
SEEN: Final = 0.75
"""The share of the stall that the slowest request must have taken: it may have come when some was over."""


class Fault:
    """Hit: a request took nearly as long as the stall."""

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._victim: Part

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Nothing: it hits under any load."""
        return {}

    def set_up(self, system: System) -> None:
        """Needs the power to pause the API."""
        system.require("api", Pause)
        self._system = system
        (self._victim, *_) = system.parts("api")

    def invoke(self, stats: Stats) -> bool:
        """Freeze it, and let it go on two seconds later, whatever comes: a look at `/stats` would wait with it."""
        self._system.pause(self._victim)
        try:
            time.sleep(STANDS_S)
        finally:
            self._system.resume(self._victim)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It is healed by then."""
        return True

    def heal(self) -> None:
        """It goes on, harmless where it does."""
        self._system.resume(self._victim)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """The slowest request, as the load generator counted it."""
        latency = loadgen.get("latency_ms", {})
        slowest_ms = max((float(part.get("max", 0.0)) for part in latency.values()), default=0.0)
        return Evidence(
            hit=slowest_ms >= STANDS_S * 1000 * SEEN,
            what=f"{self._victim.name} stood still for {STANDS_S:g} s; the slowest request took {slowest_ms:,.0f} ms",
        )
