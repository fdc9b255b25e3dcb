"""Hold: users go on while all projectors stand still, so that the projection has something to catch up with.

It begins once nothing of the load phase is left to project or to be seen, so no figure of that phase has it in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from services.loadgen.distributed.supervisor_link import SupervisorLink
from services.loadgen.judge.convergence import Held
from services.loadgen.judge.stats import Stats
from services.loadgen.workload.run import Halted, Run

SETTLED_WITHIN_S: Final = 10.0
LANDED_S: Final = 0.5
"""A statement that was under way when its projector was stopped is carried out by the server all the same."""
BEHIND: Final = (
    f"no hold: the projection was more than {SETTLED_WITHIN_S:g} s behind the load, and had to catch up anyway"
)
_LOOK_S: Final = 0.02


class Hold:
    """The hold of one run. `spend` is its phase; `release` ends it, once the writers have stopped."""

    def __init__(self, run: Run, supervisor: SupervisorLink, stats: Callable[[], Stats]) -> None:
        self._run = run
        self._supervisor = supervisor
        self._stats = stats
        self._seconds = run.settings.hold_s
        self._ordered = False
        self._held = Held()
        self._stood_at = 0.0
        self._midway: int | None = 0
        self._stopped = 0
        self._projected = 0
        self._stored: int | None = None
        if self._seconds and supervisor.unheld:
            self._miss(supervisor.unheld)

    @property
    def possible(self) -> bool:
        """Whether there is to be one, and somebody to carry it out."""
        return bool(self._seconds) and not self._held.missed

    def spend(self) -> None:
        """Begin as soon as nothing of the load is left, and last HOLD. Raises Halted."""
        if not self._settled(time.monotonic()):
            self._held = Held(why=BEHIND)
            return
        self._ordered = True
        told = self._supervisor.order("stand still")
        if told.state != "standing":
            self._miss(told.why)
            return
        self._stood_at, self._midway, self._stopped = told.stood_at or 0.0, told.within_batch, told.projectors
        landing = min(LANDED_S, self._seconds / 2)
        self._run.pause(landing)
        self._projected = self._stats().counts.events
        self._run.pause(self._seconds - landing)

    def release(self, left: Stats) -> Held:
        """Let the projectors go on; `left` was seen when the last write had its answer. Raises Halted."""
        if self._ordered:
            told = self._supervisor.order("go on")
            if not self._held.missed:
                if told.state != "going on" or told.went_on_at is None:
                    raise Halted(f"the projectors stand still: {told.why}")
                seconds = round(told.went_on_at - self._stood_at, 3)
                how = self._stood_within()
                self._held = Held(seconds, told.went_on_at, told.resolution_s, how, clock=told.clock)
                if moved := left.counts.events - self._projected:
                    self._miss(f"{moved} events were projected while all known projectors stood still")
        return self._held

    def _stood_within(self) -> str:
        if self._midway is None:
            return f"{self._stopped} projector(s) were stopped by SIGSTOP, within a batch or between two: not told"
        told = f"{self._midway} projector(s) stood still within a batch, whose locks users may have waited for"
        return told if self._midway else ""

    def _miss(self, why: str) -> None:
        self._held = replace(self._held, seconds=0.0, why=f"no hold: {why}", missed=True)

    def _settled(self, load_ended: float) -> bool:
        """Wait until every event of the load is projected and every write of the probe seen; False in vain."""
        while True:
            asked_at = time.monotonic()
            if self._caught_up(self._stats(), asked_at - load_ended) and self._supervisor.probe_has_seen():
                return True
            if asked_at - load_ended >= SETTLED_WITHIN_S:
                return False
            self._run.pause(_LOOK_S)

    def _caught_up(self, stats: Stats, since_s: float) -> bool:
        """Whether nothing of the load is left, `since_s` after its end, when this was asked for.

        Where no age is told, as many events are projected as there were at the first look after that.
        """
        if stats.oldest_unprojected_age_ms is not None:
            # What is older than the end of the load phase was in it. The age was taken after it was asked for.
            return stats.oldest_unprojected_age_ms / 1000 < since_s
        if self._stored is None:
            self._stored = stats.events_in_store
        return stats.counts.events >= self._stored
