"""Bounded ring of a projector's moments: called, step begun, claimed, committed; kept in memory, written at its end.

A row for each batch, at the price of some readings of the clock a step. It asks the store nothing. A projector of
several shards has one for each, for batches of two run at the same time.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from eventstore.shards.hash_slots import Place

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
    """The newest batches at one place. `hook` is told of `claimed` and `applied` by the strategy."""

    def __init__(self, place: Place, clock: Callable[[], float] = time.time, kept: int = KEPT) -> None:
        self._place: Final = place
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
        """Write them down; of several shards to a file of the shard's own, beside that path.

        What can not be written is logged, and no reason to fail.
        """
        document: dict[str, Any] = {"projector": projector, "rows": list(self.rows)}
        if self._place.shards > 1:
            document["shard"] = self._place.number
            path = path.with_name(f"shard-{self._place.number}-{path.name}")
        try:
            path.write_text(json.dumps(document) + "\n", encoding="utf-8")
        except OSError as error:
            log.warning("moments not written", error=str(error))
