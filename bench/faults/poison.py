"""Poison events in some streams: who stops, who is delayed; then an operator's skip, a DBA's mend, and unblock.

All projectors are frozen for a moment, so that events wait: a projection that keeps up leaves none at most moments.
Those events are spoiled before they take effect, so that no projection can apply them: an update of a todo whose text
is a number. In parallel mode their streams stop, each after its attempts, and the others flow; in serial mode all stops
at the first. An operator skips one of them, so that what comes after it flows; then the events are mended, the stream
that was skipped is reset, since a skipped event has never taken effect, and all others are unblocked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from bench.ends import signals
from bench.platforms.platform import Pause, System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.operator import carry_out, require_operator
from bench.trial.foreign.poison import Poison, mend, require_owner, spoil
from settings.catalogue.projection import Strategy

STREAMS: Final = 3
"""How many are poisoned."""
GATHERS_S: Final = 1.0
"""For how long projectors stand at most until so many streams wait; then one is enough."""
LOOK_S: Final = 0.05
STANDS_S: Final = 2.0
"""For how long it stays blocked, so that it is seen who goes on."""
LONGEST_S: Final = 10.0
"""It is mended after this long, whether anything was blocked or not."""


class Fault:
    """Hit: a poisoned stream, or at one of them the whole projection, was blocked."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._poisons: list[Poison] = []
        self._struck_at = 0.0
        self._blocked_at: float | None = None
        self._blocked: dict[str, str] = {}
        self._projected = 0
        self._flowed = 0
        self._skipped: Mapping[str, Any] = {}
        self._unblocked: Mapping[str, Any] = {}

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Few attempts, and a load that outlasts them and three commands: what is blocked at its end is judged so."""
        return {"RETRY_ATTEMPTS": "3", "DURATION": "40s"}

    def set_up(self, system: System) -> None:
        """Needs the operator's login to a store of ours, and the owner's, and the power to pause projectors."""
        require_operator(system)
        system.require("projector", Pause)
        require_owner(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Spoil events that wait to take effect, and let the projectors go on."""
        with self._standing():
            self._poisons = self._spoiled()
        self._struck_at = time.monotonic()
        return bool(self._poisons)

    @contextmanager
    def _standing(self) -> Iterator[None]:
        """No projector takes anything in hand within the block; they go on whatever comes."""
        parts = self._system.parts("projector")
        try:
            for part in parts:
                self._system.pause(part)
            yield
        finally:
            with signals.held():
                for part in parts:
                    self._system.resume(part)

    def _spoiled(self) -> list[Poison]:
        ends = time.monotonic() + GATHERS_S
        while time.monotonic() < ends:
            if found := spoil(self._system, most=STREAMS, least=STREAMS):
                return found
            time.sleep(LOOK_S)
        return spoil(self._system, most=STREAMS, least=1)

    def watch(self, stats: Stats | None) -> bool:
        """It heals once something was blocked for a while."""
        if stats is None or self._skipped or self._unblocked:
            return False
        now = time.monotonic()
        poisoned = {one.stream for one in self._poisons}
        found = {one["stream"]: one["scope"] for one in stats["blocked"] if one["stream"] in poisoned}
        if found and self._blocked_at is None:
            self._blocked_at, self._projected = now, stats["totalEventsProjected"]
        if self._blocked_at is None:
            return now - self._struck_at >= LONGEST_S
        self._blocked |= found
        self._flowed = stats["totalEventsProjected"] - self._projected
        return now - self._blocked_at >= STANDS_S

    def heal(self) -> None:
        """Skip one, mend all, reset the one that was skipped, unblock the others. Raises RunFailed."""
        one = next(iter(self._blocked), None)
        if one is not None:
            self._skipped = carry_out(self._system, "skip", one)
        mend(self._system, self._poisons)
        if one is not None:
            carry_out(self._system, "reset", one)
        self._unblocked = carry_out(self._system, "unblock", "--all")

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """Who stopped, and what flowed meanwhile."""
        if self._blocked_at is None:
            return Evidence(hit=False, what=f"{len(self._poisons)} event(s) were spoiled, and nothing was blocked")
        took, whole = self._blocked_at - self._struck_at, "projection" in self._blocked.values()
        who = "the whole projection" if whole else f"{len(self._blocked)} of {len(self._poisons)} poisoned stream(s)"
        flowed = f"{self._flowed:,} other event(s) took effect" if self._flowed else "nothing took effect"
        after = "then one was skipped, mended and reset, the rest mended and unblocked"
        return Evidence(
            hit=True,
            what=f"{who} stopped after {took:.1f} s; within {STANDS_S:g} s {flowed}; {after}",
        )
