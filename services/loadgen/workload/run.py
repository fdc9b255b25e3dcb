"""State of one run, which all greenlets of Locust's process share."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from gevent.event import Event
from gevent.queue import Empty, SimpleQueue

from services.loadgen.judge.convergence import Evidence, Looks, Streaks, matches
from services.loadgen.judge.ledger import Counts, Expected, Ledger, hottest
from services.loadgen.judge.stats import Stats
from services.loadgen.measure.endpoints import Endpoints
from services.loadgen.measure.locust_statistics import LocustStatistics
from services.loadgen.measure.processor_time import ProcessorTime
from services.loadgen.measure.recorder import Recorder
from services.loadgen.measure.saturation import Saturation
from services.loadgen.settings import Settings
from services.loadgen.workload.plan import LOADED, Phase, plan


class Halted(Exception):
    """The run cannot go on; the message says why."""


@dataclass(frozen=True)
class Arrival:
    """A request of the open loop: due at a moment of `time.perf_counter`, in a phase."""

    due: float
    writes: bool
    phase: Phase


class ReaderWatch(Protocol):
    """Whoever is told what the readers of the convergence phase see: the watch itself, or a worker's journal."""

    def note(self, reader: int, stats: Stats, asked_at: float) -> None:
        """A reader saw these statistics, which it had asked for then, in seconds since the epoch."""
        ...


class ConvergenceWatch:
    """Convergence phase as its readers see it: the evidence for the verdict."""

    def __init__(
        self, expected: Expected, readers: Iterable[int], first: Stats, began_at: float, asked_at: float = 0.0
    ) -> None:
        self.expected = expected
        self.stats = first
        self._streaks = Streaks(readers)
        self._began_at = began_at
        self._changed_at = time.monotonic()
        self._seen_at: float | None = None
        self._unseen_at: float | None = None if matches(first, expected) else asked_at

    def note(self, reader: int, stats: Stats, asked_at: float) -> None:
        """Take in what a reader saw."""
        seen = (stats.counts, stats.backlog, stats.blocked_streams)
        if seen != (self.stats.counts, self.stats.backlog, self.stats.blocked_streams):
            self._changed_at = time.monotonic()
        self.stats = stats
        match = matches(stats, self.expected)
        self._streaks.note(reader, match=match)
        if not match:
            self._seen_at, self._unseen_at = None, max(asked_at, self._unseen_at or 0.0)
        elif self._seen_at is None:
            self._seen_at = time.time()

    def looks(self, written_at: float | None) -> Looks:
        """When the readers saw the end, beside the moment of the last write."""
        return Looks(written_at, self._seen_at, self._unseen_at)

    def evidence(self, limit_s: float) -> Evidence:
        """All that the judge needs, as of now."""
        now = time.monotonic()
        return Evidence(
            stats=self.stats,
            expected=self.expected,
            confirmed=self._streaks.confirmed,
            elapsed_s=now - self._began_at,
            limit_s=limit_s,
            unchanged_s=now - self._changed_at,
        )


class Run:
    """One run: its settings, its ledger, its numbers, and the phase that it is in.

    A worker's run is one of several: the `place`-th `of` them. The master's run `leads`, and has no users of its own.
    """

    def __init__(self, settings: Settings, baseline: Counts, *, place: int = 0, of: int = 1) -> None:
        self.settings = settings
        self.phases = plan(settings)
        self.phase: Phase = self.phases[0]
        self.step = -1
        self.on_phase: Callable[[int], None] = lambda _: None
        self.leads = False
        self.ledger = Ledger(baseline, hottest=hottest(settings.skew, place, of))
        self.recorder = Recorder()
        self.endpoints = Endpoints()
        self.locust = LocustStatistics()
        self.saturation = Saturation()
        self.processor_time = ProcessorTime()
        self.watch: ReaderWatch | None = None
        self.arrivals: SimpleQueue[Arrival] | None = SimpleQueue() if settings.rate else None
        self._turned_away: Counter[tuple[bool, float]] = Counter()
        self.scheduled = 0
        self.started = 0
        self.refuse: Callable[[str], None] = self.halt
        """What an answer outside the contract leads to: the end of the run; as a worker, by the master."""
        self.halted = Event()
        self.over = Event()
        self.halt_reason = ""
        self.user_numbers: list[int] = []
        self._place = place
        self._of = of

    def new_user_number(self) -> int:
        """The number of a new user, from 0; no worker gives out another's."""
        self.user_numbers.append(self._place + self._of * len(self.user_numbers))
        return self.user_numbers[-1]

    def enter(self, phase: Phase, step: int) -> None:
        """Go on to a phase, the `step`-th from 0. What is due and can not be served any more is told as missed."""
        self.phase, self.step = phase, step
        if self.arrivals is not None and phase.name not in LOADED:
            self._give_up_waiting(self.arrivals)
        self.processor_time.turn(measured=phase.measured)
        self.on_phase(step)

    def turn_away(self, arrival: Arrival) -> None:
        """Too many wait already: of this one its moment is kept, to a tenth of a second, later rather than earlier."""
        if arrival.phase.measured:
            self._turned_away[arrival.writes, ceil(arrival.due * 10) / 10] += 1

    def give_up(self, arrival: Arrival) -> None:
        """Nobody will serve it: had it been served, its latency would be longer than its age is now."""
        if arrival.phase.measured:
            self._unserved(arrival.writes, arrival.due)

    def _give_up_waiting(self, arrivals: SimpleQueue[Arrival]) -> None:
        with suppress(Empty):
            while True:
                self.give_up(arrivals.get_nowait())
        for (writes, due), count in self._turned_away.items():
            self._unserved(writes, due, count)
        self._turned_away.clear()

    def _unserved(self, writes: bool, due: float, count: int = 1) -> None:
        self.recorder.unserved("action" if writes else "read", time.perf_counter() - due, count)

    def halt(self, why: str) -> None:
        """End the run early; the first reason stays."""
        self.halt_reason = self.halt_reason or why
        self.halted.set()

    def pause(self, seconds: float) -> None:
        """Wait. Raises Halted as soon as the run is to end."""
        if self.halted.wait(seconds):
            raise Halted(self.halt_reason)

    @property
    def missed_share(self) -> float | None:
        """The share of the due requests of the load phase that were not begun in it; None in the closed loop."""
        if self.arrivals is None:
            return None
        return 1 - self.started / self.scheduled if self.scheduled else 0.0
