"""A rolling restart: SIGTERM to each API and each projector in turn, under load, each started again before the next.

An API of several processes (API_PROCESSES) has them replaced one after another, each by one that serves already: no
connection is refused. One of a single process is away until it serves again, and what is sent meanwhile is refused. A
projector gives its leases back at its end, so another goes on at once, and nobody waits for a lease to run out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.platforms.platform import Part, Replace, Start, System
from bench.trial.fault import Evidence, Stats
from bench.trial.takeovers import by_leases
from metrics.records.fault import Takeover
from settings.catalogue.projection import Strategy

SETTLES_S: Final = 1.0
"""Between two restarts, at least: so long a stream that nobody went on with is looked for."""
LONGEST_S: Final = 10.0
"""And at most, where nothing is written any more."""
NOT_TOLD: Final = ("leases in hand", "who took over")


@dataclass
class Turn:
    """One restart: how long it took, and whether anything was written after it."""

    part: str
    took_s: float
    ended_at: float
    events: int
    written: bool = False


class Fault:
    """Hit: each part was restarted, and writes were acknowledged before and after its restart."""

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._waiting: list[Part] = []
        self._down: Part | None = None
        self._turns: list[Turn] = []
        self._events = 0
        self._stood_ms = 0.0
        self._takeovers: by_leases.Takeovers | None = None

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Another of each goes on, and there is time for all; the load generator waits for an API that is alone."""
        return {"API_PROCESSES": "2", "PROJECTORS": "2", "DURATION": "30s", "SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs the power to stop and to start them."""
        system.require("api", Start)
        projectors = system.parts("projector")
        if projectors:
            system.require("projector", Start)
        self._system, self._waiting = system, [*system.parts("api"), *projectors]

    def invoke(self, stats: Stats) -> bool:
        """Restart the first one, once something was written."""
        if not stats["eventCount"]:
            return False
        if by_leases.tells_takeovers(stats):
            self._takeovers = by_leases.Takeovers()
            self._takeovers.begin(stats, "")
        self._restart(stats)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """Once writes are acknowledged again, the next one's turn comes."""
        if stats is not None:
            self._note(stats)
        turn = self._turns[-1]
        since = time.monotonic() - turn.ended_at
        if since < SETTLES_S or not (turn.written or since >= LONGEST_S):
            return False
        if self._waiting and stats is not None:
            self._restart(stats)
        return not self._waiting and self._turns[-1].written

    def _note(self, stats: Stats) -> None:
        self._stood_ms = max(self._stood_ms, float(stats.get("oldestUnprojectedAgeMs") or 0.0))
        if self._takeovers is not None:
            self._takeovers.note(stats)
        turn = self._turns[-1]
        if not turn.events:
            turn.events = stats["eventCount"]
        turn.written |= stats["eventCount"] > turn.events

    def _restart(self, stats: Stats) -> None:
        part = self._waiting.pop(0)
        began = time.monotonic()
        self._down = part
        if isinstance(part, Replace):
            part.replace()
        else:
            self._system.restart(part)
        self._down = None
        now = time.monotonic()
        self._turns.append(Turn(part.name, now - began, now, events=0))

    def heal(self) -> None:
        """Start the one whose restart was broken off."""
        if self._down is not None:
            self._system.start(self._down)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What was restarted, how long each took, how long a stream stood, and the writes without an answer."""
        unanswered = int(loadgen.get("acknowledged", {}).get("indeterminate", 0))
        each = ", ".join(f"{turn.part} {turn.took_s:.1f} s" for turn in self._turns)
        told = Takeover(leases_held=None, takeovers=None, not_told=list(NOT_TOLD))
        stood = ""
        if self._takeovers is not None:
            told = self._takeovers.told()
            stood = f" a stream stood for {self._stood_ms / 1000:.1f} s at most, {told.takeovers} takeover(s);"
        return Evidence(
            hit=not self._waiting and all(turn.written for turn in self._turns),
            what=f"restarted in turn: {each};{stood} {unanswered} write(s) were not acknowledged",
            takeover=told,
        )
