"""Saturation of the load generator: its own CPU, and the delay of its scheduler.

A slow generator is never reported as a slow server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

import gevent
import psutil

from services.loadgen.measure.recorder import new_histogram, percentiles, record

SATURATED_CPU_PERCENT = 90.0
SATURATED_DELAY_MS = 100.0
_TICK_S = 0.02


class Saturation:
    """CPU of this process and the delay of its scheduler, over the measured phases.

    `others` has both of every worker, if there are any: the worst of them tells.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._looked_at = time.perf_counter()
        self._cpu_s = 0.0
        self._wall_s = 0.0
        self._delays = new_histogram()
        self.cpu_percent_now = 0.0
        self.delay_ms_now = 0.0
        self._worst_s = 0.0
        self.others: dict[str, tuple[float, float]] = {}

    def look(self, *, measured: bool) -> None:
        """Take in the CPU and the worst delay since the last look."""
        now = time.perf_counter()
        seconds, self._looked_at = now - self._looked_at, now
        self.cpu_percent_now = self._process.cpu_percent()
        self.delay_ms_now, self._worst_s = round(self._worst_s * 1000, 3), 0.0
        if measured:
            self._cpu_s += self.cpu_percent_now / 100 * seconds
            self._wall_s += seconds

    def measure_delay(self, measured: Callable[[], bool]) -> NoReturn:
        """A greenlet's body: by how much does a timer of this process fire late?"""
        while True:
            due = time.perf_counter() + _TICK_S
            gevent.sleep(_TICK_S)
            delay = time.perf_counter() - due
            self._worst_s = max(self._worst_s, delay)
            if measured():
                record(self._delays, delay)

    @property
    def cpu_percent(self) -> float:
        """Mean CPU over the measured phases, 100 = one core."""
        own = self._cpu_s / self._wall_s * 100 if self._wall_s > 0 else self.cpu_percent_now
        return max(own, *(cpu for cpu, _ in self.others.values()), 0.0)

    @property
    def delay_p99_ms(self) -> float:
        """99th percentile of the scheduler's delay."""
        return max(percentiles(self._delays).p99, *(delay for _, delay in self.others.values()), 0.0)

    @property
    def saturated(self) -> bool:
        """True when the generator, not the server, may have set the pace."""
        return self.cpu_percent >= SATURATED_CPU_PERCENT or self.delay_p99_ms >= SATURATED_DELAY_MS
