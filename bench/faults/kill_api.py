"""SIGKILL to the API with writes in flight: each of them is in the log or is not, and none is there twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.platforms.platform import Kill, Part, Start, System
from bench.trial.fault import Evidence, Stats
from settings.catalogue.projection import Strategy


class Fault:
    """Hit: the API was gone, and writes stayed without an answer."""

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._victim: Part
        self._was_gone = False

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits until the API is back, also on a slow machine."""
        return {"SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs the powers to kill and to start the API."""
        system.require("api", Kill, Start)
        self._system = system
        (self._victim, *_) = system.parts("api")

    def invoke(self, stats: Stats) -> bool:
        """Kill it, with all of its processes."""
        self._system.kill(self._victim)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals once it is seen to be gone."""
        self._was_gone |= stats is None
        return self._was_gone

    def heal(self) -> None:
        """Start it again, at its address."""
        self._system.start(self._victim)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """The writes without an answer, as the load generator counted them."""
        unanswered = int(loadgen.get("acknowledged", {}).get("indeterminate", 0))
        return Evidence(
            hit=self._was_gone and unanswered > 0,
            what=f"{self._victim.name} was killed (SIGKILL); {unanswered} write(s) stayed without an answer",
        )
