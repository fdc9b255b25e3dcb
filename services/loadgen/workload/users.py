"""Locust user of the Todo service: a writer or a reader by its number, in the closed or in the open loop."""

from __future__ import annotations

import time
from random import Random
from typing import ClassVar, Protocol

import gevent
from gevent.queue import Empty
from locust import User, task
from locust.exception import StopUser

from services.loadgen.workload.calls import TodoCalls
from services.loadgen.workload.http.session import HttpSession
from services.loadgen.workload.plan import LOADED, Phase, is_writer, pick
from services.loadgen.workload.run import Arrival, Run
from settings.scenarios.document import Operation

_IDLE_S = 0.05
_TURN_S = 0.1


class HasRun(Protocol):
    """Whoever knows the run under way."""

    run: Run | None


class TodoUser(User):
    """A user of the Todo service. In the open loop it is one of a pool that serves what is due."""

    abstract = True
    runs: ClassVar[HasRun]

    def on_start(self) -> None:
        """Take a number; it decides this user's role and, with the seed, its every draw."""
        run = self.runs.run
        assert run is not None
        self.loadgen = run
        self.index = self.loadgen.new_user_number()
        self.draws = Random(f"{self.loadgen.settings.seed}/{self.index}")
        self.session = HttpSession(str(self.host))
        self.calls = TodoCalls(self.session, run, f"user {self.index}")
        self.steps: list[Operation] = []
        self.own: str | None = None

    def on_stop(self) -> None:
        """Close the connection."""
        self.session.close()

    def wait_time(self) -> float:
        """An exponential pause: users that wait equally long would meet in bursts."""
        if not self._pauses:
            return 0.0
        think_s = self.loadgen.settings.think_time_ms / 1000
        return min(self.draws.expovariate(1 / think_s), 10 * think_s)

    @task
    def turn(self) -> None:
        """One request where users pause; else one after another for a short time, for Locust's round has its price.

        Between two rounds Locust looks whether the user is to stop.
        """
        ends = time.perf_counter() + _TURN_S
        self._step()
        while not self._pauses and time.perf_counter() < ends:
            self._step()

    def _step(self) -> None:
        """One request, as the phase and the role have it."""
        phase = self.loadgen.phase
        writes = is_writer(self.index, phase.writers)
        if phase.name == "verification":
            gevent.sleep(_IDLE_S)
        elif phase.name == "convergence" and writes:
            raise StopUser
        elif phase.name == "convergence":
            self._confirm()
        elif self._serves_arrivals:
            self._serve()
        elif writes:
            self._write(phase, time.perf_counter())
        else:
            self._read(phase, time.perf_counter())

    @property
    def _pauses(self) -> bool:
        return self.loadgen.settings.think_time_ms > 0 and not self._serves_arrivals

    @property
    def _serves_arrivals(self) -> bool:
        return self.loadgen.arrivals is not None and self.loadgen.phase.name in LOADED

    def _serve(self) -> None:
        arrivals = self.loadgen.arrivals
        assert arrivals is not None
        try:
            arrival: Arrival = arrivals.get(timeout=_IDLE_S)
        except Empty:
            return
        if not self._serves_arrivals:
            # The phase ended between the hand-over and now.
            self.loadgen.give_up(arrival)
            return
        if arrival.phase.measured:
            # One that begins later counts in the latency of its phase all the same, but not in the rate that was kept.
            self.loadgen.started += self.loadgen.phase.measured
        if arrival.writes:
            self._write(arrival.phase, arrival.due)
        else:
            self._read(arrival.phase, arrival.due)

    def _write(self, phase: Phase, due: float) -> None:
        if phase.sequence:
            self._walk(phase, due)
        else:
            self._write_any(phase, due)

    def _write_any(self, phase: Phase, due: float) -> None:
        # Without SKEW nothing is drawn for it: a seed gives the operations that it gave before there was one.
        if phase.skew and self.draws.random() < phase.skew and (hot := self.loadgen.ledger.pick_hot(self.draws)):
            self.calls.update(hot, due, phase)
            return
        operation = phase.writes[0][0] if len(phase.writes) == 1 else pick(phase.writes, self.draws.random())
        ledger = self.loadgen.ledger
        if operation == "update" and (id := ledger.pick(self.draws)):
            self.calls.update(id, due, phase)
        elif operation == "delete" and (id := ledger.take(self.draws)):
            self.calls.delete(id, due, phase)
        else:
            self.calls.create(due, phase)

    def _walk(self, phase: Phase, due: float) -> None:
        if self.own is None or not self.steps:
            self.own = self.calls.create(due, phase)
            self.steps = list(phase.sequence[:0:-1])
        elif self.steps.pop() == "update":
            self.calls.update(self.own, due, phase)
        else:
            self.calls.delete(self.own, due, phase)

    def _read(self, phase: Phase, due: float) -> None:
        kind = pick(phase.reads, self.draws.random())
        id = self.loadgen.ledger.pick(self.draws)
        if kind == "one" and id:
            self.calls.read_one(id, due, phase)
        elif kind == "stats":
            self.calls.read_stats(due, phase)
        else:
            self.calls.read_list(id, due, phase)

    def _confirm(self) -> None:
        watch = self.loadgen.watch
        if watch is None:
            gevent.sleep(_IDLE_S)
            return
        self.calls.drain()
        asked_at = time.time()
        stats = self.calls.see_stats(time.perf_counter())
        if stats is not None:
            watch.note(self.index, stats, asked_at)
