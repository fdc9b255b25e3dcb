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
from bench.trial.fault import Fault, Plan, Stats, load, require_shards, struck
from bench.trial.injection.looks import Looks
from bench.trial.injection.shard import Shard
from metrics.records.fault import Injected

LOOK_EVERY_S: Final = 0.2
CONFIRMATIONS: Final = 3


class Injection:
    """One fault in one run. `tick` is called again and again while the load generator runs."""

    def __init__(self, plan: Plan, system: System) -> None:
        self._plan = plan
        self._base_url = system.base_url
        self._platform = system.platform.name
        self._fault: Fault = load(plan.fault)
        require_shards(plan.fault, self._fault, system.settings)
        given = struck(self._fault, system)
        self._shard = None if given is system else Shard(given)
        self._fault.set_up(given)
        self._invoked_at: float | None = None
        self._healed_at: float | None = None
        self._next_look = 0.0
        self._looks = Looks()

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
        """Strike, if this is the moment; a fault may take a while for it, and was invoked when it began."""
        self._looks = Looks()
        shown = self._shown(self._see())
        began = time.time()
        if shown is not None and self._fault.invoke(shown):
            self._invoked_at = began
            self._look()

    def _look(self) -> bool:
        """Show the fault what is seen now; True once it may heal."""
        return self._fault.watch(self._shown(self._see()))

    def _shown(self, stats: Stats | None) -> Stats | None:
        return stats if self._shard is None else self._shard.counted(stats)

    def _see(self) -> Stats | None:
        asked_at = time.time()
        stats = http_client.figures(self._base_url)
        self._looks.note(asked_at, time.time(), stats)
        return stats

    def _heal(self) -> None:
        if self._invoked_at is not None and self._healed_at is None and self._plan.heal:
            self._looks.recovery.begin(time.time())
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
            what=found.what if self._shard is None else f"{found.what} ({self._shard.name})",
            hit=found.hit,
            holder=found.holder,
            invoked_at=self._invoked_at,
            healed_at=self._healed_at,
            takeover=found.takeover,
            right_again_s=self._looks.recovery.took_s,
            projection_stall_s=self._looks.stall.longest_s,
            api_silence_s=self._looks.silence.longest_s,
        )

    def settle(self, within_s: float) -> bool:
        """Wait until nothing is left to project, though the load generator may have given up; False in vain."""
        deadline, seen = time.monotonic() + within_s, 0
        while seen < CONFIRMATIONS and time.monotonic() < deadline:
            signals.check()
            stats = self._see()
            seen = seen + 1 if stats is not None and stats["backlog"] == 0 else 0
            time.sleep(LOOK_EVERY_S)
        return seen == CONFIRMATIONS

    def close(self) -> None:
        """Heal what is still struck, whatever became of the run, which has its own reason by now."""
        with suppress(RunFailed, SetupError):
            self._heal()
        if self._shard is not None:
            self._shard.close()
