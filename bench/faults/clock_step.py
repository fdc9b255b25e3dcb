"""A clock step: API and projectors find their clocks an hour ahead, then an hour behind. It must not matter.

Leases, pauses and figures go by the database's clock, or by durations. The clocks are set under load, in the running
processes; they were started anew for that before it, under libfaketime.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.platforms import http_client
from bench.platforms.platform import Change, Start, System
from bench.trial.fault import Evidence, NotApplicable, Stats
from bench.trial.foreign.clocks import Clock, library
from settings.catalogue.projection import Strategy

HOUR_S: Final = 3600
LIKE_S: Final = 60.0
"""A clock counts as set where it is within so many seconds of what it was set to."""
STANDS_S: Final = 2.5
LONGEST_S: Final = 8.0
STEPS: Final = ("an hour ahead and behind, by turns", "the other way round")


class Fault:
    """Hit: in both steps each process was seen to have the time that it was given, and events took effect meanwhile."""

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._folder: TemporaryDirectory[str]
        self._clocks: list[Clock] = []
        self._step = 0
        self._set_at = 0.0
        self._projected = 0
        self._seen: dict[tuple[int, str], float] = {}
        self._flowed = [0, 0]

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Two projectors, one ahead of the other."""
        return {"PROJECTORS": "2", "DURATION": "15s"}

    def set_up(self, system: System) -> None:
        """Needs libfaketime, and the power to start API and projectors with it; starts them anew."""
        if not system.settings.target.ours:
            name = system.settings.target.name
            raise NotApplicable("TARGET", f"{name} does not tell the clocks of its processes", "choose another fault")
        found = library()
        projectors = system.parts("projector")
        system.require("api", Start, Change)
        if projectors:
            system.require("projector", Start, Change)
        self._system, parts = system, [*system.parts("api"), *projectors]
        self._folder = TemporaryDirectory(prefix="tidemark-clocks-", ignore_cleanup_errors=True)
        self._clocks = [Clock(part, Path(self._folder.name), found) for part in parts]
        for clock in self._clocks:
            system.stop(clock.part)
            system.start_with(clock.part, clock.settings)

    def invoke(self, stats: Stats) -> bool:
        """Set every second clock an hour ahead, and the others behind."""
        self._set(stats)
        return True

    def _set(self, stats: Stats) -> None:
        for clock, off_s in zip(self._clocks, self._offsets(), strict=True):
            clock.set(off_s)
        self._set_at, self._projected = time.monotonic(), stats["totalEventsProjected"]

    def _offsets(self) -> Sequence[int]:
        """What each is set to in this step."""
        return [HOUR_S if (number + self._step) % 2 == 0 else -HOUR_S for number in range(len(self._clocks))]

    def watch(self, stats: Stats | None) -> bool:
        """The second step comes once the first was seen for a while; it heals after that."""
        if stats is None or self._step == len(STEPS):
            return self._step == len(STEPS)
        self._look()
        self._flowed[self._step] = stats["totalEventsProjected"] - self._projected
        since = time.monotonic() - self._set_at
        if since < STANDS_S or not (self._right(self._step) or since >= LONGEST_S):
            return False
        self._step += 1
        if self._step < len(STEPS):
            self._set(stats)
        return self._step == len(STEPS)

    def _look(self) -> None:
        """How far off each is from what it was set to, at its best since it was set."""
        for clock, off_s in zip(self._clocks, self._offsets(), strict=True):
            told = _of_api(self._system.base_url) if clock.part.kind == "api" else _of_projector(clock.health)
            if told is not None:
                key = (self._step, clock.part.name)
                self._seen[key] = min(self._seen.get(key, float("inf")), abs(told - time.time() - off_s))

    def _right(self, step: int) -> bool:
        far = float("inf")
        return all(self._seen.get((step, clock.part.name), far) <= LIKE_S for clock in self._clocks)

    def heal(self) -> None:
        """Set them right."""
        for clock in self._clocks:
            clock.set(0)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """Whose clocks were seen to be off, and what took effect meanwhile."""
        seen = [step for step in range(len(STEPS)) if self._right(step)]
        parts = ", ".join(clock.part.name for clock in self._clocks)
        flowed = " and ".join(f"{count:,}" for count in self._flowed)
        return Evidence(
            hit=len(seen) == len(STEPS) and all(self._flowed),
            what=f"{parts} had clocks {STEPS[0]}, then {STEPS[1]} (seen in {len(seen)} of {len(STEPS)} steps); "
            f"{flowed} event(s) took effect",
        )


def _of_api(base_url: str) -> float | None:
    """The time of the API's machine, as each answer says it; None where there is none."""
    try:
        with http_client.direct(f"{base_url}/readyz") as answer:
            return parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (*http_client.UNREADABLE, TypeError):
        return None


def _of_projector(health: Path) -> float | None:
    """The time at which a projector wrote its health file; None where it has not, or not yet."""
    try:
        return float(json.loads(health.read_text(encoding="utf-8"))["at"])
    except (OSError, ValueError, KeyError):
        return None
