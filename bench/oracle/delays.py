"""Histogram of the time from an event's insert to its effect, recorded by the ten thousand: sorted, then by bucket."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from hdrh.histogram import HdrHistogram

LONGEST_US: Final = 3_600_000_000
PENDING: Final = 100_000


class Delays:
    """Microseconds, each in a histogram at once or soon: `histogram()` has them all."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, LONGEST_US, 3)
        self.pending: list[int] = []

    def add(self, delays: Iterable[int]) -> None:
        """Take some more."""
        self.pending += delays
        if len(self.pending) >= PENDING:
            self._flush()

    def histogram(self) -> HdrHistogram:
        """All that were taken. What is below 1 counts as 1, and what is above an hour as an hour."""
        self._flush()
        return self._histogram

    def _flush(self) -> None:
        """One look at a bucket for all that belong into it; its largest apart, as it may be the maximum of all."""
        pending, self.pending = sorted(self.pending), []
        begin = 0
        while begin < len(pending):
            low = _bounded(pending[begin])
            most = self._histogram.get_highest_equivalent_value(low) if low < LONGEST_US else pending[-1]
            end = bisect_right(pending, most, begin)
            self._histogram.record_value(low, end - begin - 1)
            self._histogram.record_value(_bounded(pending[end - 1]))
            begin = end


def _bounded(value: int) -> int:
    return min(max(value, 1), LONGEST_US)
