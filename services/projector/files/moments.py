"""Bounded ring of a projector's moments: called, step begun, claimed, committed; kept in memory, written at its end.

A row for each batch, at the price of some readings of the clock a step. It asks the store nothing.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog

KEPT: Final = 30_000
"""Batches: 150 s of a projector with one each 5 ms, in some 5 MB."""

Row = list[float | None]
"""First and last call, start of the step, answer of its claim, answer of the batch (`metrics.raw.moments`)."""

log = structlog.get_logger()


class Watch(Protocol):
    """What a worker tells of its steps."""

    def called(self) -> None:
        """Somebody, or the worker itself, says that there may be work."""
        ...

    def begun(self) -> None:
        """A step begins."""
        ...


class Unwatched:
    """Nothing is kept."""

    def called(self) -> None:
        """Go on."""

    def begun(self) -> None:
        """Go on."""


class Moments:
    """The newest batches. `hook` is told of `claimed` and `applied` by the strategy."""

    def __init__(self, clock: Callable[[], float] = time.time, kept: int = KEPT) -> None:
        self._clock: Final = clock
        self.rows: Final[deque[Row]] = deque(maxlen=kept)
        self._first: float | None = None
        self._last: float | None = None
        self._step: tuple[float | None, float | None, float] = (None, None, 0.0)
        self._claimed: float | None = None

    def called(self) -> None:
        """Remember the first and the last call before a step."""
        self._last = self._clock()
        if self._first is None:
            self._first = self._last

    def begun(self) -> None:
        """A step begins: what was called for before is looked for by it."""
        self._step = (self._first, self._last, self._clock())
        self._first = self._last = self._claimed = None

    async def hook(self, moment: str) -> None:
        """A moment of the strategy (`projection.hooks`)."""
        if moment == "claimed":
            self._claimed = self._clock()
        elif moment == "applied":
            self.rows.append([*self._step, self._claimed, self._clock()])

    def write(self, path: Path, projector: str) -> None:
        """Write them down; what can not be written is logged, and no reason to fail."""
        document = {"projector": projector, "rows": list(self.rows)}
        try:
            path.write_text(json.dumps(document) + "\n", encoding="utf-8")
        except OSError as error:
            log.warning("moments not written", error=str(error))
