"""Adaptive batch size: multiplicative decrease at a limit, slow increase after it (as AIMD in congestion control).

A statement that meets a limit of the server's (`statement_timeout`, memory, …) has done nothing, and would meet it
again: the size is halved until one fits. Then it grows by half after some full batches in a row, and to a size that did
not fit before only after twice as many each time: so a limit that stands is met rarely.
"""

from __future__ import annotations

from typing import Final

FIRST_FULL: Final = 4
MOST_FULL: Final = 128
"""Full batches before the size grows: at first, and at most."""


class BatchSize:
    """How much one statement may take: between 1 and `most`, which it is until a limit is met."""

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self.now = most
        self._unfit = most + 1
        self._needed = FIRST_FULL
        self._full = 0

    def halve(self, tried: int) -> bool:
        """A batch of this size did not fit. False when no smaller one is left to try."""
        self._full = 0
        if tried <= 1:
            if self.now == 1:
                # So it is not the size, and what was learned of it is wrong.
                self._forget()
            return False
        if tried >= self._unfit:
            self._needed = min(MOST_FULL, self._needed * 2)
        self._unfit = min(self._unfit, tried)
        self.now = min(self.now, tried // 2)
        return True

    def fitted(self, size: int) -> None:
        """A batch of this size was done. Only full ones tell anything."""
        if self.now == self._most or size < self.now:
            return
        if size >= self._unfit:
            self._forget()
        self._full += 1
        larger = min(self._most, self.now + max(1, self.now // 2))
        if self._full >= (FIRST_FULL if larger < self._unfit else self._needed):
            self.now, self._full = larger, 0

    def _forget(self) -> None:
        self._unfit = self._most + 1
        self._needed = FIRST_FULL
