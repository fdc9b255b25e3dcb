"""Lazy timer: a deadline that moves with each request costs an assignment, and is looked at when it may have passed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final


class Deadline:
    """Calls `late` once a caller was waited for longer than `patience_s`, from `begin` on, and not since `rest`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience_s: float, late: Callable[[], None]) -> None:
        self._loop: Final = loop
        self._patience_s: Final = patience_s
        self._late: Final = late
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """It is the caller's turn from now on."""
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience_s, self._look)

    def rest(self) -> None:
        """The caller has done its part."""
        self._since = None

    def end(self) -> None:
        """Nobody is waited for any more."""
        self._since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return
        due = self._since + self._patience_s
        if due <= self._loop.time():
            self._since = None
            self._late()
        else:
            self._timer = self._loop.call_at(due, self._look)
