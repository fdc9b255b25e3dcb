"""Locust's own statistics, which its page and its CSV files show: finished requests, merged in once a second.

Locust's event for each request and the entry that its listener makes cost as much as the request itself. Its entries
can be merged instead, as a master of Locust's does with those of its workers.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Final, NoReturn

import gevent

if TYPE_CHECKING:
    from locust.stats import RequestStats, StatsEntry

MERGE_EVERY_S: Final = 1.0


@dataclass(slots=True)
class _Finished:
    """Requests of one method and name that were not merged yet."""

    milliseconds: list[float] = field(default_factory=list)
    length: int = 0
    failures: list[str] = field(default_factory=list)


class LocustStatistics:
    """Collects finished requests, failed ones included, for Locust."""

    def __init__(self) -> None:
        self._finished: dict[tuple[str, str], _Finished] = {}

    def note(self, method: str, name: str, seconds: float, length: int, why: str) -> None:
        """Take in a finished request; `why` is empty unless it failed."""
        finished = self._finished.get((name, method))
        if finished is None:
            finished = self._finished[name, method] = _Finished()
        finished.milliseconds.append(seconds * 1000)
        finished.length += length
        if why:
            finished.failures.append(why)

    def merge(self, into: RequestStats) -> None:
        """Put everything since the last call into Locust's statistics."""
        finished, self._finished = self._finished, {}
        for (name, method), requests in finished.items():
            entry = _entry(into, name, method, requests)
            into.total.extend(entry)
            into.entries[name, method].extend(entry)
            for why in requests.failures:
                into.log_error(method, name, why)

    def keep_merging(self, into: RequestStats) -> NoReturn:
        """A greenlet's body."""
        while True:
            gevent.sleep(MERGE_EVERY_S)
            self.merge(into)


def _entry(stats: RequestStats, name: str, method: str, requests: _Finished) -> StatsEntry:
    # Whoever imports Locust has it patch the process, so only a process of Locust's does.
    from locust.stats import StatsEntry, bucket_response_time  # noqa: PLC0415

    now, milliseconds = time.time(), requests.milliseconds
    entry = StatsEntry(stats, name, method)
    entry.start_time, entry.last_request_timestamp = stats.start_time, now
    entry.num_requests = len(milliseconds)
    entry.num_reqs_per_sec = {int(now): len(milliseconds)}
    entry.total_response_time = fsum(milliseconds)  # type: ignore[assignment]
    entry.min_response_time, entry.max_response_time = min(milliseconds), max(milliseconds)  # type: ignore[assignment]
    entry.response_times = Counter(map(bucket_response_time, milliseconds))
    entry.total_content_length = requests.length
    return entry
