"""Admission control (load shedding): what can not be answered within a bound on latency is refused before it is read.

By Little's law, requests under way = answers a second × mean latency. So as many may be under way as are answered in
half of the bound: the mean is then half of it, and the other half is there for what is above the mean. How fast
requests are answered is counted while many are under way, over a time as long as the bound. Before half of that time is
over nothing is refused: a burst, or a pause of the disk, is waited out.

One for each process, in one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

ADMISSION: Final = "admission"
"""The name under which the ASGI state of the server's lifespan has it."""

ALWAYS: Final = 256
"""So many under way are never too many for a bound of a second or more: one statement takes as many appends."""

FEWEST: Final = 8
"""So many under way are never too many, however short the bound."""

MOST: Final = 10_000
"""So many under way are always too many: each is kept in memory."""

LOOKS: Final = 10
"""Within a time as long as the bound."""

SPARED: Final = frozenset((b"/livez", b"/readyz", b"/stats", b"/metrics"))
"""Paths that are always answered: how it is under way is asked when it is too much."""

TELL_S: Final = 1.0
"""The log is told at most this often."""

Interval = tuple[int, float]
"""Requests answered, and within how many seconds."""

log = structlog.get_logger()


def least(latency_max_s: float) -> int:
    """How many under way are never too many, however slow the store: the shorter the bound, the fewer. Pure."""
    return max(FEWEST, min(ALWAYS, round(ALWAYS * latency_max_s)))


def limit(intervals: Sequence[Interval], latency_max_s: float) -> int:
    """How many may be under way, by what was answered meanwhile; fewer than half of `LOOKS` say nothing. Pure."""
    seconds = sum(length for _, length in intervals)
    if len(intervals) < LOOKS // 2 or seconds <= 0:
        return MOST
    answered = sum(count for count, _ in intervals)
    return min(MOST, max(least(latency_max_s), round(answered / seconds * latency_max_s / 2)))


class Admission:
    """Counts the requests under way, and says when a further one is too many. `refusal` is the answer to that one.

    A read that waits for the projection is as slow as its caller asks, so it is refused like others, and not counted.
    """

    def __init__(self, latency_max_s: float, refusal: bytes) -> None:
        self.refusal: Final = refusal
        self.under_way = 0
        self.limit = MOST
        self.refused = 0
        self.latency_max_s: Final = latency_max_s
        self.never_too_many: Final = least(latency_max_s)
        self._intervals: Final[deque[Interval]] = deque(maxlen=LOOKS)
        self._next: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._answered = 0
        self._seen_refused = 0
        self._told_refused = 0
        self._told_at = 0.0

    @property
    def full(self) -> bool:
        """Whether a further request would be too many."""
        return self.under_way >= self.limit

    def enter(self) -> None:
        """A request is under way. To be called in the event loop."""
        self.under_way += 1
        if self._next is None and self.under_way > self.never_too_many:
            self._await_look()

    def leave(self) -> None:
        """It was answered, or its caller has gone."""
        self.under_way -= 1
        self._answered += 1

    def put_aside(self, count: int) -> None:
        """So many that are under way take no room from others for now; a negative number: they do again."""
        self.under_way -= count

    def _await_look(self) -> None:
        loop = asyncio.get_running_loop()
        self._began, self._answered = loop.time(), 0
        self._next = loop.call_later(self.latency_max_s / LOOKS, self._look)

    def _look(self) -> None:
        """Take in what was answered since the last look; forget it all when there is room again."""
        now = asyncio.get_running_loop().time()
        self._intervals.append((self._answered, now - self._began))
        pressed = self.under_way > self.never_too_many or self.refused > self._seen_refused
        self._seen_refused = self.refused
        if pressed:
            self.limit = limit(self._intervals, self.latency_max_s)
            self._await_look()
        else:
            self._intervals.clear()
            self.limit, self._next = MOST, None
        if self.refused > self._told_refused and now - self._told_at >= TELL_S:
            log.warning(
                "overloaded: requests are refused",
                refused=self.refused - self._told_refused,
                under_way=self.under_way,
                limit=self.limit,
            )
            self._told_refused, self._told_at = self.refused, now
