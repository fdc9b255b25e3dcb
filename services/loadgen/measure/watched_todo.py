"""One todo of the visibility probe: which of its acknowledged versions which read showed. Pure; all times are given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from services.loadgen.judge.todo import Todo

RESOLUTION_S: Final = 0.002
RELATIVE_RESOLUTION: Final = 0.2
NO_TODO: Final = -1
"""Version of a read that showed no todo; a target may count from 0."""


@dataclass(slots=True)
class Write:
    """An acknowledged write. `counted`: it belongs to the load phase. Moments are of a steady clock, in seconds.

    `epoch`: what to add to one for the seconds since the epoch, as it was at the acknowledgement. `unseen_at`: when the
    last read that did not show it was sent; None before there is one. `next_read`: whether the first read that was sent
    after the acknowledgement showed it; None before its answer. `shown_by`: a read that showed it before that.
    """

    version: int
    acknowledged_at: float
    counted: bool = True
    epoch: float = 0.0
    unseen_at: float | None = None
    next_read: bool | None = None
    shown_by: Read | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A read that was answered. `floor`: the highest version that an answer had shown before this one was sent.

    `version` NO_TODO: it showed none. `epoch`: what to add to a moment for the seconds since the epoch.
    """

    version: int
    sent_at: float
    answered_at: float
    floor: int = 0
    epoch: float = 0.0

    @property
    def seconds(self) -> float:
        """Its latency."""
        return self.answered_at - self.sent_at

    @property
    def goes_back(self) -> bool:
        """True when it shows less than its reader had seen before."""
        return self.version < self.floor


@dataclass(frozen=True, slots=True)
class Seen:
    """A write and the first read that showed it."""

    write: Write
    read: Read

    @property
    def latency_s(self) -> float:
        """From the acknowledgement to the answer; 0 where the read was quicker than the answer of the write."""
        return max(self.read.answered_at - self.write.acknowledged_at, 0.0)

    @property
    def interval_s(self) -> tuple[float, float]:
        """Between the last read that did not show it and the first that did, by when they were sent after the
        acknowledgement.
        """
        acknowledged_at, unseen_at = self.write.acknowledged_at, self.write.unseen_at
        upper = max(self.read.sent_at - acknowledged_at, 0.0)
        lower = 0.0 if unseen_at is None else max(unseen_at - acknowledged_at, 0.0)
        return min(lower, upper), upper


class WatchedTodo:
    """One todo of the probe, with the acknowledged versions that no read has shown yet."""

    def __init__(self, todo: Todo) -> None:
        self.todo = todo
        self.shown = 0
        self.waiting: dict[int, Write] = {}
        self._unread: list[Write] = []
        self._newest: Read | None = None
        self.wake = asyncio.Event()
        self.news = asyncio.Event()

    def acknowledge(self, version: int, text: str, at: float, *, counted: bool = True, epoch: float = 0.0) -> Write:
        """An answer came: from now on its visibility is waited for."""
        self.todo.acknowledge(version, text)
        shown_by = self._newest if version <= self.shown else None
        self.waiting[version] = write = Write(version, at, counted, epoch, shown_by=shown_by)
        self._unread.append(write)
        self.wake.set()
        self.news.set()
        return write

    def look(self, read: Read) -> tuple[list[Seen], list[Write]]:
        """Take in a read: the writes that it is the first to show, and those whose writer's next read it was.

        A read that was sent before the acknowledgement may show a write, and is no next read of its writer's.
        """
        if read.version > self.shown:
            self.shown, self._newest = read.version, read
        next_of = [write for write in self._unread if read.sent_at >= write.acknowledged_at]
        self._unread = [write for write in self._unread if read.sent_at < write.acknowledged_at]
        for write in next_of:
            write.next_read = read.version >= write.version
        for write in self.waiting.values():
            if write.shown_by is None and read.version < write.version and read.sent_at >= write.acknowledged_at:
                write.unseen_at = max(write.unseen_at or 0.0, read.sent_at)
        ready = [write for write in self.waiting.values() if write.shown_by or write.version <= read.version]
        seen = [Seen(self.waiting.pop(write.version), write.shown_by or read) for write in ready]
        if not self.waiting:
            self.wake.clear()
        return seen, next_of

    def next_poll_s(self, now: float) -> float:
        """The pause before the next read: fine at first, coarser with age, so that a late server is not flooded."""
        oldest = min((write.acknowledged_at for write in self.waiting.values()), default=now)
        return max(RESOLUTION_S, RELATIVE_RESOLUTION * (now - oldest))
