"""Staleness of reads: t-visibility as an interval-censored curve, read-your-writes, monotonic reads, price of waiting.

Sums and HDR histograms, so that memory does not grow with the run; all times are given, none is measured here.
"""

from __future__ import annotations

from typing import Any, Final

from metrics.catalogue import POINTS_MS
from metrics.records.sections.staleness import NOT_TOLD, Ranks, Staleness, Waiting
from services.loadgen.measure.recorder import new_histogram, record

RANKS: Final = (50, 95, 99)


class Curve:
    """Chance that a read shows a write, by the time between acknowledgement and the sending of the read.

    A write is known to an interval alone: its lower end is when the last read that did not show it was sent, its upper
    end when the first that did was. At a point within, it is shown by the least, hidden by the most.
    """

    def __init__(self) -> None:
        self.writes = 0
        self.unseen = 0
        self._least = [0] * len(POINTS_MS)
        self._most = [0] * len(POINTS_MS)
        self._spread = [0.0] * len(POINTS_MS)
        self._upper = new_histogram()
        self._width = new_histogram()

    def seen(self, lower_s: float, upper_s: float) -> None:
        """A read showed the write: seconds after its acknowledgement, lower 0 where no read failed to show it."""
        self.writes += 1
        record(self._upper, upper_s)
        record(self._width, upper_s - lower_s)
        for place, point_ms in enumerate(POINTS_MS):
            t = point_ms / 1000
            self._least[place] += upper_s <= t
            self._most[place] += lower_s < t
            self._spread[place] += _share(lower_s, upper_s, t)

    def not_seen(self, lower_s: float) -> None:
        """Nobody looks for the write any more, which no read had shown."""
        self.writes += 1
        self.unseen += 1
        for place, point_ms in enumerate(POINTS_MS):
            self._most[place] += lower_s < point_ms / 1000

    def points(self) -> list[tuple[float, float]]:
        """[(t in ms, chance)], each write spread evenly over its interval; empty without writes."""
        return [
            (t, round(sum_ / self.writes, 4)) for t, sum_ in zip(POINTS_MS, self._spread, strict=True) if self.writes
        ]

    def bounds(self) -> list[tuple[float, float, float]]:
        """[(t in ms, least chance, greatest chance)]."""
        both = zip(POINTS_MS, self._least, self._most, strict=True)
        return [
            (t, round(least / self.writes, 4), round(most / self.writes, 4)) for t, least, most in both if self.writes
        ]

    def within(self) -> Ranks:
        """After how many ms that share of all writes was seen, by the upper ends; None where so many never were."""
        seen = self.writes - self.unseen
        found = {}
        for rank in RANKS:
            # Of those that were seen, the one with this place among all.
            of_seen = rank * self.writes / seen if seen else float("inf")
            found[f"p{rank}"] = self._upper.get_value_at_percentile(of_seen) / 1000 if of_seen <= 100 else None
        return Ranks(**found)

    def widths(self) -> Ranks:
        """How long the intervals were; those of writes that were never seen have no end."""
        if self.writes == self.unseen:
            return Ranks()
        return Ranks(**{f"p{rank}": self._width.get_value_at_percentile(rank) / 1000 for rank in RANKS})


def _share(lower: float, upper: float, t: float) -> float:
    """How much of the interval lies before t; all of an interval without length that does not begin after it."""
    if t >= upper:
        return 1.0
    return max(t - lower, 0.0) / (upper - lower) if upper > lower else 0.0


class Reads:
    """Answered reads that should show a version: how many did, and how long they took."""

    def __init__(self) -> None:
        self.count = 0
        self._seen = 0
        self._took = new_histogram()

    def note(self, *, seen: bool, seconds: float) -> None:
        """Take in an answer."""
        self.count += 1
        self._seen += seen
        record(self._took, seconds)

    @property
    def share(self) -> float | None:
        """Share of them that showed it; None without any."""
        return round(self._seen / self.count, 4) if self.count else None

    def took_ms(self, rank: int) -> float | None:
        """A percentile of their latency; None without any."""
        return self._took.get_value_at_percentile(rank) / 1000 if self.count else None


class StalenessFigures:
    """All that is counted of the load phase. `waits`: whether the target has reads that wait."""

    def __init__(self, *, waits: bool = True) -> None:
        self._waits = waits
        self.curve = Curve()
        self.first = Reads()
        self.waiting = Reads()
        self.monotonic_reads = 0
        self.monotonic_violations = 0

    def section(self, **told: Any) -> Staleness:
        """The section of the result; `told` are fields that the probe knows of itself."""
        if not self.curve.writes:
            return Staleness(why="the probe wrote nothing in the load phase", **told)
        return Staleness(
            visible_within_ms=self.curve.within(),
            curve=self.curve.points(),
            curve_bounds=self.curve.bounds(),
            interval_ms=self.curve.widths(),
            read_your_writes=self.first.share,
            monotonic_violations=self.monotonic_violations if self.monotonic_reads else None,
            monotonic_reads=self.monotonic_reads,
            waiting=self._price(),
            writes=self.curve.writes,
            unseen=self.curve.unseen,
            why="",
            **told,
        )

    def _not_waited(self) -> str:
        if not self._waits:
            return f"{NOT_TOLD}: the target has no reads that wait for a version"
        return "" if self.waiting.count else f"{NOT_TOLD}: no read that waits was answered"

    def _price(self) -> Waiting:
        plain, waiting = self.first, self.waiting
        extra = {rank: _minus(waiting.took_ms(rank), plain.took_ms(rank)) for rank in (50, 99)}
        return Waiting(
            reads=waiting.count,
            seen=waiting.share,
            p50_ms=waiting.took_ms(50),
            p99_ms=waiting.took_ms(99),
            plain_reads=plain.count,
            plain_seen=plain.share,
            plain_p50_ms=plain.took_ms(50),
            plain_p99_ms=plain.took_ms(99),
            extra_p50_ms=extra[50],
            extra_p99_ms=extra[99],
            why=self._not_waited(),
        )


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else round(one - other, 3)
