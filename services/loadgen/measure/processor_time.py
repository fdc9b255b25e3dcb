"""Processor time of the generator over the measured phases: user and system, all threads of Locust's process.

Whatever it does then counts: users, sampler, statistics, the journal of workers. The probe and the supervisor are
processes of their own and do not.
"""

from __future__ import annotations

import time


class ProcessorTime:
    """Seconds of this process; `others` has those of every worker, if there are any."""

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._since: float | None = None
        self.others: dict[str, float] = {}

    def turn(self, *, measured: bool) -> None:
        """A phase begins, and so the one before has ended."""
        self._spent_s, self._since = self.seconds, time.process_time() if measured else None

    @property
    def seconds(self) -> float:
        """This process alone, up to now."""
        running_s = 0.0 if self._since is None else time.process_time() - self._since
        return self._spent_s + running_s

    def us_per_request(self, requests: int) -> float | None:
        """Microseconds of all processes for each of so many requests; None where there were none."""
        seconds = self.seconds + sum(self.others.values())
        return round(seconds / requests * 1e6, 1) if requests else None
