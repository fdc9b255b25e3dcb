"""One direction of a relayed connection: its bytes pass at once, late, slowly or never, and always in their order.

Bounded: while more than HIGH bytes wait here, or whoever they are for takes no more, nothing is read from their source;
so a sender is held up by the relay as by the receiver itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final, Literal

from bench.platforms.postgres.network import Way

HIGH: Final = 262_144
LOW: Final = 65_536
PIECE: Final = 4_096
"""Bytes that pass at once where so many a second may."""

End = Literal["eof", "reset"]
"""How a source has ended: it sends no more, or the connection to it is gone."""


@dataclass
class Tally:
    """Bytes of one direction, on all connections: passed, held back before, swallowed."""

    passed: int = 0
    delayed: int = 0
    swallowed: int = 0


@dataclass
class Fate:
    """What both directions of a connection share.

    `asked`: bytes came from the client, and none has passed to it since. `lost`: some were swallowed. `dead`: and the
    network is well again. As the relay repeats nothing, unlike TCP, such a connection stays silent for good.
    """

    asked: bool = False
    lost: bool = False
    dead: bool = False


class Lane:
    """From `source` to `sink`, each None while it is not connected. `on_end` is told when the source's end passes.

    What passes by the lane `back` to the client answers what it asked.
    """

    def __init__(
        self, fate: Fate, tally: Tally, random: Random, on_end: Callable[[End], None], *, back: bool = False
    ) -> None:
        self.way = Way()
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.ended: End | None = None
        self._fate: Final = fate
        self._tally: Final = tally
        self._random: Final = random
        self._on_end: Final = on_end
        self._back: Final = back
        self._loop: Final = asyncio.get_running_loop()
        self._queue: Final[deque[tuple[float, bytes]]] = deque()
        self._queued = 0
        self._last_due = self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._late = self._full = False
        self._passed: End | None = None

    @property
    def silent(self) -> bool:
        """Whether what comes is lost."""
        return self.way.swallow or self._fate.dead

    @property
    def passed_end(self) -> bool:
        """Whether the source's end has passed."""
        return self._passed is not None

    def receive(self, data: bytes) -> None:
        """Bytes have come from the source."""
        if self.silent:
            self._lose(len(data))
        elif self._late:
            self._hold_back(data)
        else:
            self._pass(data)

    def end(self, how: End) -> None:
        """The source has ended; it is passed on behind its bytes, and not while nothing passes."""
        if self.ended != "reset":
            self.ended = how
        self._pass_end()

    def change(self, way: Way) -> None:
        """From now on it is so. What was held back passes, or is lost with the rest."""
        self.way = way
        self._late = bool(way.latency_ms or way.jitter_ms or way.bytes_per_s)
        if self.silent or not self._late:
            self._empty()
        self.go_on()

    def sink_full(self, full: bool) -> None:
        """Whether the sink, or the place where it will be, takes no more for now."""
        self._full = full
        self._read_or_wait()

    def go_on(self) -> None:
        """Read, and pass the end, as far as it may be by now."""
        self._read_or_wait()
        self._pass_end()

    def close(self) -> None:
        """Nothing passes any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _empty(self) -> None:
        if self.silent:
            self._lose(self._queued)
            self._queue.clear()
        self._release(upto=inf)
        self._queued = 0
        self._last_due = self._free_at = 0.0
        self.close()

    def _lose(self, size: int) -> None:
        if size:
            self._fate.lost = True
            self._tally.swallowed += size

    def _pass(self, data: bytes) -> None:
        if self.sink is not None and not self.sink.is_closing():
            self.sink.write(data)
            self._tally.passed += len(data)
            self._fate.asked &= not self._back

    def _hold_back(self, data: bytes) -> None:
        self._tally.delayed += len(data)
        size = PIECE if self.way.bytes_per_s else len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self._queue.append((self._due(len(piece)), piece))
        self._queued += len(data)
        self._wait()
        self._read_or_wait()

    def _due(self, size: int) -> float:
        """When a piece arrives that comes now: behind those before it, on a line that sends one after another."""
        at, way = self._loop.time(), self.way
        if way.bytes_per_s:
            at = self._free_at = max(self._free_at, at) + size / way.bytes_per_s
        late_s = (way.latency_ms + self._random.uniform(0.0, way.jitter_ms)) / 1000
        self._last_due = max(self._last_due, at + late_s)
        return self._last_due

    def _wait(self) -> None:
        if self._timer is None and self._queue:
            self._timer = self._loop.call_at(self._queue[0][0], self._arrived)

    def _arrived(self) -> None:
        self._timer = None
        self._release(upto=self._loop.time())
        self._wait()
        self.go_on()

    def _release(self, upto: float) -> None:
        while self._queue and self._queue[0][0] <= upto:
            _, piece = self._queue.popleft()
            self._queued -= len(piece)
            self._pass(piece)

    def _read_or_wait(self) -> None:
        # One that has ended would be read to its end again.
        if self.source is None or self.ended is not None:
            return
        if self.silent or (not self._full and self._queued <= LOW):
            self.source.resume_reading()
        elif self._full or self._queued > HIGH:
            self.source.pause_reading()

    def _pass_end(self) -> None:
        if self.ended is None or self.ended == self._passed or self.way.swallow:
            return
        if self.ended == "reset" or not self._queue:
            self._passed = self.ended
            self._on_end(self.ended)
