"""Looks at the server and at this process all through a run: the gauges' distributions and one line a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent

from services.loadgen.facts import BadFacts, Facts, read_facts
from services.loadgen.run import Run
from services.loadgen.wire import Wire, WireError

POLL_S = 0.25
GONE_AFTER_S = 5.0


class Sampler:
    """Polls GET /stats four times a second; ends the run when the server has given no answer for five seconds."""

    def __init__(self, run: Run, users: Callable[[], int], publish: Callable[[dict[str, Any]], None]) -> None:
        self._run = run
        self._users = users
        self._publish = publish
        self._wire = Wire(run.settings.base_url, timeout_s=GONE_AFTER_S)
        self._answered_at = time.monotonic()
        self._began_at = time.time()
        self._facts: Facts | None = None
        self._lag: int | None = None

    def poll(self) -> None:
        """A greenlet's body: look at the server until the run is halted."""
        while not self._run.halted.is_set():
            try:
                self._take(read_facts(self._wire.get("/stats")))
            except (WireError, BadFacts) as error:
                silent_s = time.monotonic() - self._answered_at
                if silent_s >= GONE_AFTER_S:
                    self._run.halt(f"the server gave no statistics for {silent_s:.0f} s: {error}")
            gevent.sleep(POLL_S)

    def _take(self, facts: Facts) -> None:
        self._answered_at = time.monotonic()
        self._facts = facts
        self._lag = abs(facts.counts.active - self._run.ledger.expected_active)
        if self._run.phase.measured:
            self._run.recorder.observe(facts, self._lag)

    def report(self) -> None:
        """A greenlet's body: publish one sample a second until the run is halted."""
        last = time.perf_counter()
        while not self._run.halted.wait(1.0):
            now = time.perf_counter()
            self._run.vitals.look(measured=self._run.phase.measured)
            self._publish(self._sample(now - last))
            last = now

    def _sample(self, seconds: float) -> dict[str, Any]:
        now, facts, run = time.time(), self._facts, self._run
        return {
            "t": now,
            "elapsed_s": round(now - self._began_at, 3),
            "phase": run.phase.name,
            "users": self._users(),
            **run.recorder.next_window(seconds),
            "projection_lag": self._lag,
            "event_id_lag": facts and facts.event_id_lag,
            "backlog": facts and facts.backlog,
            "oldest_unprojected_age_ms": facts and facts.oldest_unprojected_age_ms,
            "events_in_store": facts and facts.events_in_store,
            "events_projected": facts and facts.counts.events,
            "active_todos": facts and facts.counts.active,
            "expected_active": run.ledger.expected_active,
            "projectors_alive": facts and facts.projectors_alive,
            "leases_held": facts and facts.leases_held,
            "cpu_percent": run.vitals.cpu_percent_now,
        }
