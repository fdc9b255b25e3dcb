"""Appends that wait, and which of them may go together into the next statement."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from eventstore.append.statement import Append
from eventstore.errors import StoreBusy
from eventstore.events import Appended


@dataclass(eq=False, slots=True)
class Waiting:
    """An append and its caller. `alone`: it goes without company. `until`: how long it may be tried, once locked out.

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


class Line:
    """First come, first served, but for appends that have to let others pass.

    Streams and keys of a group are reserved until it is released: two appends to one stream, or with one key, are never
    under way at once. Of streams that somebody else keeps locked (`locked`), one at a time is tried.
    """

    def __init__(self) -> None:
        self.locked: set[str] = set()
        self._waiting: deque[Waiting] = deque()
        self._streams: set[str] = set()
        self._keys: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, waiting: Waiting) -> None:
        """Stand at the end."""
        self._waiting.append(waiting)

    def return_to_front(self, group: Iterable[Waiting]) -> None:
        """Stand before all others, in this order."""
        self._waiting.extendleft(reversed(list(group)))

    def take(self, waiting: Waiting) -> bool:
        """Pass by the line, and reserve the append's stream and key; False, and nothing done, where they are taken."""
        if self._reserved(waiting.append):
            return False
        self._reserve(waiting.append)
        return True

    def gather(self, most: int) -> list[Waiting]:
        """Take a group of at most `most`, and reserve its streams and keys. Callers that have gone are dropped.

        Those who were locked out for as long as they may be are told so.
        """
        group: list[Waiting] = []
        passed_over: list[Waiting] = []
        while self._waiting and len(group) < most:
            waiting = self._waiting.popleft()
            if waiting.answer.done() or self._expired(waiting):
                continue
            alone = waiting.alone or waiting.append.stream in self.locked
            if self._reserved(waiting.append) or (alone and group):
                passed_over.append(waiting)
                continue
            self._reserve(waiting.append)
            group.append(waiting)
            if alone:
                break
        self.return_to_front(passed_over)
        return group

    def _expired(self, waiting: Waiting) -> bool:
        if waiting.until is None or asyncio.get_running_loop().time() < waiting.until:
            return False
        waiting.tell(StoreBusy(f"stream {waiting.append.stream!r} is kept locked by another transaction"))
        return True

    def release(self, group: Iterable[Waiting]) -> None:
        """Let others have the group's streams and keys."""
        for waiting in group:
            self._streams.discard(waiting.append.stream)
            if waiting.append.key:
                self._keys.discard(waiting.append.key.key)

    def _reserve(self, append: Append) -> None:
        self._streams.add(append.stream)
        if append.key:
            self._keys.add(append.key.key)

    def _reserved(self, append: Append) -> bool:
        if append.stream in self._streams or (append.key is not None and append.key.key in self._keys):
            return True
        return append.stream in self.locked and not self.locked.isdisjoint(self._streams)
