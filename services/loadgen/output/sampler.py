"""Sampler: polls GET /stats four times a second, and gives one sample a second of server and generator."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gevent

from services.loadgen.http_client import HttpClient, HttpError
from services.loadgen.judge.stats import BadStats, Stats, parse_stats
from services.loadgen.workload.run import Run

POLL_S = 0.25
ANSWER_S = 5.0


class Sampler:
    """Polls GET /stats four times a second; ends the run when the server gave no answer for SILENCE_MAX."""

    def __init__(self, run: Run, users: Callable[[], int], publish: Callable[[dict[str, Any]], None]) -> None:
        self._run = run
        self._users = users
        self._publish = publish
        self._http = HttpClient(run.settings.base_url, timeout_s=ANSWER_S)
        self._answered_at = time.monotonic()
        self._began_at = time.time()
        self._stats: Stats | None = None
        self._lag: int | None = None
        self._event_rates = EventRates()

    def poll(self) -> None:
        """A greenlet's body: look at the server until the run is halted."""
        while not self._run.halted.is_set():
            try:
                self._take(parse_stats(self._http.get("/stats")))
            except (HttpError, BadStats) as error:
                silent_s = time.monotonic() - self._answered_at
                if silent_s >= self._run.settings.silence_max_s:
                    self._run.halt(f"the server gave no statistics for {silent_s:.0f} s: {error}")
            gevent.sleep(POLL_S)

    def _take(self, stats: Stats) -> None:
        self._answered_at = time.monotonic()
        self._stats = stats
        self._event_rates.note(self._answered_at, stats)
        self._lag = abs(stats.counts.active - self._run.ledger.expected_active)
        if self._run.phase.measured:
            self._run.recorder.observe(stats, self._lag)

    def report(self) -> None:
        """A greenlet's body: publish one sample a second until the run is halted."""
        last = time.perf_counter()
        while not self._run.halted.wait(1.0):
            now = time.perf_counter()
            self._run.saturation.look(measured=self._run.phase.measured)
            self._publish(self._sample(now - last))
            last = now

    def _sample(self, seconds: float) -> dict[str, Any]:
        now, stats, run = time.time(), self._stats, self._run
        return {
            "t": now,
            "elapsed_s": round(now - self._began_at, 3),
            "phase": run.phase.name,
            "users": self._users(),
            **run.recorder.next_interval(seconds),
            **run.endpoints.next_interval(seconds),
            "projection_lag": self._lag,
            "event_id_lag": stats and stats.event_id_lag,
            "backlog": stats and stats.backlog,
            "oldest_unprojected_age_ms": stats and stats.oldest_unprojected_age_ms,
            "events_in_store": stats and stats.events_in_store,
            "events_projected": stats and stats.counts.events,
            **self._event_rates.next_interval(),
            "head_position": stats and stats.head_position,
            "projected_position": stats and stats.projected_position,
            "active_todos": stats and stats.counts.active,
            "expected_active": run.ledger.expected_active,
            "blocked_streams": stats and stats.blocked_streams,
            "projectors_alive": stats and stats.projectors_alive,
            "leases_held": stats and stats.leases_held,
            "projectors": [asdict(projector) for projector in (stats.projectors if stats else None) or ()],
            "cpu_percent": run.saturation.cpu_percent_now,
            "scheduler_delay_ms": run.saturation.delay_ms_now,
        }


class EventRates:
    """Events appended and projected a second, from the counts of successive looks."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, int, int]] = []

    def note(self, at: float, stats: Stats) -> None:
        """Take in a look at the server, `at` a moment of a steady clock."""
        self._looks.append((at, stats.events_in_store, stats.counts.events))

    def next_interval(self) -> dict[str, float | None]:
        """The rates since the last look of the interval before; None when nothing was seen since."""
        first, last = (self._looks[0], self._looks[-1]) if self._looks else ((0.0, 0, 0), (0.0, 0, 0))
        self._looks = self._looks[-1:]
        seconds = last[0] - first[0]
        names = ("appended_per_s", "projected_per_s")
        return {n: (last[i] - first[i]) / seconds if seconds > 0 else None for i, n in enumerate(names, 1)}
