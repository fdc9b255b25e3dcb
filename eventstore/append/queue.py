"""Queue of appends: first in, first out, at most one in flight for each stream and each idempotency key.

A batch is taken from its head; what may not share a statement with the batch, or has to wait for another one, keeps its
place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from eventstore.append.general import Append
from eventstore.errors import StoreBusy
from eventstore.events import Appended


@dataclass(eq=False, slots=True)
class Queued:
    """A queued append and its caller. `alone`: in a statement of its own. `until`: how long it may be tried.

    `doubted`: its conflict is to be named, or confirmed, see `eventstore.append.group_commit`.
    """

    append: Append
    answer: asyncio.Future[Appended]
    alone: bool = False
    doubted: bool = False
    until: float | None = None

    def tell(self, outcome: Appended | Exception) -> None:
        """Give the caller its answer, unless it has gone."""
        if self.answer.done():
            return
        if isinstance(outcome, Appended):
            self.answer.set_result(outcome)
        else:
            self.answer.set_exception(outcome)


class AppendQueue:
    """First in, first out; an append whose stream or key is in flight is passed over until that batch is released.

    Two appends to one stream, or with one key, are never in flight at once. Of streams that another transaction keeps
    locked (`locked`), one at a time is tried.
    """

    def __init__(self) -> None:
        self.locked: set[str] = set()
        self._waiting: deque[Queued] = deque()
        self._streams: set[str] = set()
        self._keys: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, queued: Queued) -> None:
        """Enqueue at the end."""
        self._waiting.append(queued)

    def push_front(self, batch: Iterable[Queued]) -> None:
        """Enqueue before all others, in this order."""
        self._waiting.extendleft(reversed(list(batch)))

    def try_reserve(self, queued: Queued) -> bool:
        """Skip the queue, and reserve the append's stream and key; False, and nothing done, where they are taken."""
        if self._reserved(queued.append):
            return False
        self._reserve(queued.append)
        return True

    def next_batch(self, most: int) -> list[Queued]:
        """Dequeue a batch of at most `most`, and reserve its streams and keys. Callers that have gone are dropped.

        An append that was locked out for as long as it may be fails with StoreBusy.
        """
        batch: list[Queued] = []
        passed_over: list[Queued] = []
        while self._waiting and len(batch) < most:
            queued = self._waiting.popleft()
            if queued.answer.done() or self._expired(queued):
                continue
            alone = queued.alone or queued.append.stream in self.locked
            if self._reserved(queued.append) or (alone and batch):
                passed_over.append(queued)
                continue
            self._reserve(queued.append)
            batch.append(queued)
            if alone:
                break
        self.push_front(passed_over)
        return batch

    def _expired(self, queued: Queued) -> bool:
        if queued.until is None or asyncio.get_running_loop().time() < queued.until:
            return False
        queued.tell(StoreBusy(f"stream {queued.append.stream!r} is kept locked by another transaction"))
        return True

    def release(self, batch: Iterable[Queued]) -> None:
        """Let others have the batch's streams and keys."""
        for queued in batch:
            self._streams.discard(queued.append.stream)
            if queued.append.key:
                self._keys.discard(queued.append.key.key)

    def _reserve(self, append: Append) -> None:
        self._streams.add(append.stream)
        if append.key:
            self._keys.add(append.key.key)

    def _reserved(self, append: Append) -> bool:
        if append.stream in self._streams or (append.key is not None and append.key.key in self._keys):
            return True
        return append.stream in self.locked and not self.locked.isdisjoint(self._streams)
