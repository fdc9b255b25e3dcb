"""Immediate shutdown of Postgres under load, and its start: what was acknowledged is there after crash recovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.platforms.platform import Kill, Part, Start, System
from bench.trial.fault import Evidence, Stats
from settings.catalogue.projection import Strategy


class Fault:
    """Hit: the store was away, and writes stayed without an answer or were told so."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._victim: Part
        self._was_away = False

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits until the API is back, also on a slow machine."""
        return {"SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs the powers to kill and to start Postgres."""
        system.require("postgres", Kill, Start)
        self._system = system
        (self._victim, *_) = system.parts("postgres")

    def invoke(self, stats: Stats) -> bool:
        """End it as a crash would."""
        self._system.kill(self._victim)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals once the API can not read the store."""
        self._was_away |= stats is None
        return self._was_away

    def heal(self) -> None:
        """Start it again, at its address and on its data."""
        self._system.start(self._victim)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """The writes that met no store, as the load generator counted them."""
        unanswered = int(loadgen.get("acknowledged", {}).get("indeterminate", 0))
        return Evidence(
            hit=self._was_away and unanswered > 0,
            what=f"{self._victim.name} was shut down at once; {unanswered} write(s) were not acknowledged",
        )
