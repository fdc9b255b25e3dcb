"""An operator's reset under load: the whole projection is forgotten and projected again, then one stream of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.operator import Command, require_operator
from settings.catalogue.projection import Strategy


class Fault:
    """Hit: events that had taken effect were projected again, while others were written."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._before: Stats = {}
        self._lowest = 0
        self._written = 0
        self._all: Command | None = None
        self._one: Command | None = None
        self._of_all: Mapping[str, Any] = {}
        self._of_one: Mapping[str, Any] = {}

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Nothing: it hits under any load."""
        return {}

    def set_up(self, system: System) -> None:
        """Needs the operator's login to a store of ours."""
        require_operator(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Begin `reset --all`, once something is projected."""
        if not stats["totalEventsProjected"]:
            return False
        self._before, self._lowest = stats, stats["totalEventsProjected"]
        self._all = Command.begin(self._system, "reset", "--all")
        return True

    def watch(self, stats: Stats | None) -> bool:
        """Once all was reset, one stream is; it heals when that has ended, too."""
        if stats is not None and self._one is None:
            self._lowest = min(self._lowest, stats["totalEventsProjected"])
        if self._one is not None:
            return not self._one.running
        if self._all is not None and not self._all.running and stats is not None:
            self._begin_one(self._all.answer(), stats)
        return False

    def _begin_one(self, of_all: Mapping[str, Any], stats: Stats) -> None:
        """Reset the stream whose event took effect last, as soon as there is one again."""
        if not self._of_all:
            self._of_all, self._written = of_all, stats["eventCount"] - self._before["eventCount"]
        if stats["lastEvents"]:
            self._one = Command.begin(self._system, "reset", stats["lastEvents"][0]["stream"])

    def heal(self) -> None:
        """Let both come to their ends: projectors go on by themselves. Raises RunFailed where one failed."""
        if self._all is not None and not self._of_all:
            self._of_all = self._all.answer()
        if self._one is not None:
            self._of_one = self._one.answer()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What the commands say that they put back, and what was written meanwhile."""
        events, streams = int(self._of_all.get("events", 0)), int(self._of_all.get("streams", 0))
        one = int(self._of_one.get("events", 0))
        before = int(self._before.get("totalEventsProjected", 0))
        return Evidence(
            hit=events > 0 and one > 0 and self._written > 0,
            what=f"reset --all put {events:,} event(s) of {streams:,} stream(s) back, while {self._written:,} were "
            f"written (projected: {before:,}, then {self._lowest:,}); reset of one stream put {one:,} back",
        )
