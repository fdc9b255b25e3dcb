"""Fault injection: carry a plan out beside the load, one step at a time, and see to it that the system is healed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from bench.ends import signals
from bench.ends.errors import RunFailed, SetupError
from bench.platforms import http_client
from bench.platforms.platform import System
from bench.trial.fault import Fault, Plan, load
from metrics.records.fault import Injected

LOOK_EVERY_S: Final = 0.2
CONFIRMATIONS: Final = 3


class Recovery:
    """How long it takes until the projection is right again: as far as there were events at the first look."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._wanted: int | None = None
        self.took_s: float | None = None

    def begin(self) -> None:
        """The fault is about to be healed."""
        self._since = time.time()

    def note(self, stats: Mapping[str, Any] | None) -> None:
        """Take in what is seen now, None where the API is silent."""
        if self._since is None or self.took_s is not None or stats is None:
            return
        if self._wanted is None:
            self._wanted = stats["eventCount"]
        if stats["totalEventsProjected"] >= self._wanted:
            self.took_s = time.time() - self._since


class Injection:
    """One fault in one run. `tick` is called again and again while the load generator runs."""

    def __init__(self, plan: Plan, system: System) -> None:
        self._plan = plan
        self._base_url = system.base_url
        self._platform = system.platform.name
        self._fault: Fault = load(plan.fault)
        self._fault.set_up(system)
        self._invoked_at: float | None = None
        self._healed_at: float | None = None
        self._next_look = 0.0
        self._recovery = Recovery()

    def tick(self, now: float, load_since: float | None) -> None:
        """`now` and the start of the load phase in epoch seconds, None before it."""
        if self._invoked_at is None:
            if load_since is not None and now >= load_since + self._plan.after_s:
                self._invoke()
        elif now >= self._next_look:
            self._next_look = now + LOOK_EVERY_S
            if self._look():
                self._heal()

    def _invoke(self) -> None:
        stats = http_client.figures(self._base_url)
        if stats is not None and self._fault.invoke(stats):
            self._invoked_at = time.time()
            self._look()

    def _look(self) -> bool:
        """Show the fault what is seen now; True once it may heal."""
        stats = http_client.figures(self._base_url)
        self._recovery.note(stats)
        return self._fault.watch(stats)

    def _heal(self) -> None:
        if self._invoked_at is not None and self._healed_at is None and self._plan.heal:
            self._recovery.begin()
            self._fault.heal()
            self._healed_at = time.time()

    def end(self, loadgen: Mapping[str, Any]) -> Injected | None:
        """Take a last look; what came of it, None if the run ended before its moment."""
        if self._invoked_at is None:
            return None
        self._look()
        found = self._fault.evidence(loadgen)
        return Injected(
            fault=self._plan.fault,
            platform=self._platform,
            what=found.what,
            hit=found.hit,
            holder=found.holder,
            invoked_at=self._invoked_at,
            healed_at=self._healed_at,
            takeover=found.takeover,
            right_again_s=self._recovery.took_s,
        )

    def settle(self, within_s: float) -> bool:
        """Wait until nothing is left to project, though the load generator may have given up; False in vain."""
        deadline, seen = time.monotonic() + within_s, 0
        while seen < CONFIRMATIONS and time.monotonic() < deadline:
            signals.check()
            stats = http_client.figures(self._base_url)
            seen = seen + 1 if stats is not None and stats["backlog"] == 0 else 0
            time.sleep(LOOK_EVERY_S)
        return seen == CONFIRMATIONS

    def close(self) -> None:
        """Heal what is still struck, whatever became of the run, which has its own reason by now."""
        with suppress(RunFailed, SetupError):
            self._heal()
