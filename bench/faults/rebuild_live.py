"""An operator rebuilds the read models beside the load: a shadow is filled, proven equal, and switched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import System
from bench.platforms.postgres.logins import addresses
from bench.platforms.preparation import environment
from bench.platforms.processes import Process, describe, tail
from bench.trial.fault import Evidence, NotApplicable, Stats
from bench.trial.foreign.operator import of_shard
from settings.catalogue.projection import Strategy

COMMAND: Final = ["-m", "services.projector", "rebuild", "--json"]


class Fault:
    """Hit: the shadow was filled and switched, while writes went on."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._process: Process
        self._before = self._after = 0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Nothing: it hits under any load that writes."""
        return {}

    def set_up(self, system: System) -> None:
        """Needs our own tables, and the address of their owner."""
        if system.logins is None or not system.has_store:
            raise NotApplicable("TARGET", "a rebuild is a command over our own tables", "choose another fault")
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Start the command once there are rows to be made again."""
        if stats["totalEventsProjected"] == 0:
            return False
        self._before = self._after = stats["eventCount"]
        env = environment(self._system.settings, **addresses([logins.owner for logins in self._system.shards]))
        self._process = self._system.processes.start("rebuild", [*COMMAND, *of_shard(self._system)], env)
        # Its end is what is waited for.
        self._process.expendable = True
        return True

    def watch(self, stats: Stats | None) -> bool:
        """Until it has ended."""
        if not self._process.running:
            return True
        if stats is not None:
            self._after = stats["eventCount"]
        return False

    def heal(self) -> None:
        """End it where it still runs; the live read models are as they were then."""
        if self._process.running:
            self._system.processes.end(self._process)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What the command told, and how many events came while it was at work."""
        code, written = self._process.popen.poll(), self._after - self._before
        told = self._told()
        if code != 0 or not told.get("switched"):
            why = tail(self._process.log, 1) or "it told nothing"
            return Evidence(hit=False, what=f"the rebuild ended with {describe(code)}: {why}")
        return Evidence(
            hit=told["events"] > 0 and written > 0,
            what=(
                f"{', '.join(told['read_models'])} were rebuilt from {told['events']:,} events of {told['streams']:,}"
                f" streams in {told['seconds']:.1f} s, while {written:,} events were written; proven equal, and"
                f" switched: projectors were held out for {told['projectors_ms']:.0f} ms, readers for"
                f" {told['readers_ms']:.0f} ms"
            ),
        )

    def _told(self) -> dict[str, Any]:
        for line in reversed(tail(self._process.log).splitlines()):
            if line.startswith("{"):
                told: dict[str, Any] = json.loads(line)
                return told
        return {}
