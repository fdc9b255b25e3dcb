"""The sink to InfluxDB. It never slows or fails the run that feeds it: what it can not write it drops and counts.

One thread writes synchronously, a batch a second; the caller only ever appends to a bounded queue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from metrics.influx_writer import Refused, Writer
from metrics.points import Point
from metrics.target import Target

KEPT: Final = 20_000
BATCH: Final = 5_000
FLUSH_EVERY_S: Final = 1.0
ANSWER_WITHIN_S: Final = 2.0
"""The longest that one write may take, and so about the longest that `close` can."""


class InfluxSink:
    """Takes points at any time from any thread. `tell` is called once, with one line, when the first write fails.

    Every point offered is in one of two counts once `close` has returned: written + dropped = offered. `written` and
    `dropped` are points so far; `trouble` says why a first write failed, None if none did; `healthy` is whether it
    answered the last write and may take another.
    """

    def __init__(self, target: Target, tell: Callable[[str], None]) -> None:
        self._target = target
        self._tell = tell
        self._lock = threading.Lock()
        self._queue: deque[Point] = deque()
        self._in_flight = 0
        self._room = KEPT
        self.healthy = True
        self._closed = False
        self._made = threading.Event()
        self._ending = threading.Event()
        self._tried = threading.Event()
        self.written = 0
        self.dropped = 0
        self.trouble: str | None = None
        # A daemon: a server that holds a write for ever does not hold the end of the process.
        self._thread = threading.Thread(target=self._run, name="influx", daemon=True)
        self._thread.start()

    def write(self, points: Iterable[Point]) -> None:
        """Take the points; returns at once. The oldest of too many are dropped."""
        with self._lock:
            self._queue.extend(points)
            self._trim()

    def settle(self) -> None:
        """Wait until the first points taken are written, or `tell` was called; bounded by `ANSWER_WITHIN_S`."""
        self._made.wait()
        self._tried.wait(FLUSH_EVERY_S + 2 * ANSWER_WITHIN_S)

    def close(self) -> None:
        """Write what is held back, if the last attempt was good, and count the rest as dropped.

        Returns at once when the server refuses, and within two times `ANSWER_WITHIN_S` when it keeps silent.
        """
        self._ending.set()
        self._made.wait()  # what it takes to import the client is no silence of the server
        settled = -1
        while self._thread.is_alive() and settled != (settled := self.written + self.dropped):
            self._thread.join(2 * ANSWER_WITHIN_S)
        with self._lock:
            # What an answer that comes later says counts no more.
            self._closed = True
            late = self._thread.is_alive()
            self._give_up()
        if late:
            self._note(f"InfluxDB at {self._target.url} gives no answer to the end: correct INFLUX_URL, or unset it")

    def _run(self) -> None:
        try:
            self._write_all()
        except BaseException as error:
            with self._lock:
                self.healthy = False
                self._give_up()
            self._note(f"InfluxDB at {self._target.url} is not written to: {type(error).__name__}")
            raise
        finally:
            self._made.set()
            self._tried.set()

    def _give_up(self) -> None:
        self.dropped += self._in_flight
        self._in_flight = self._room = 0
        self._trim()

    def _note(self, trouble: str) -> None:
        with self._lock:
            first, self.trouble = self.trouble is None, self.trouble or trouble
        if first:
            self._tell(trouble)

    def _write_all(self) -> None:
        writer = Writer(self._target, ANSWER_WITHIN_S)
        self._made.set()
        ending = False
        while not ending:
            ending = self._ending.wait(FLUSH_EVERY_S)
            more = self.healthy or not ending
            while more:
                more = self._flush(writer)
        writer.close()

    def _flush(self, writer: Writer) -> bool:
        """Write one batch; true when there may be another to write at once."""
        batch = self._take()
        if not batch:
            return False
        try:
            writer.write(batch)
        except Refused as refused:
            self._give_back(batch, refused)
            self._tried.set()
            return False
        with self._lock:
            if self._closed:
                return False
            self.healthy, self._in_flight = True, 0
            self.written += len(batch)
        self._tried.set()
        return True

    def _take(self) -> list[Point]:
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._in_flight = len(batch)
        return batch

    def _give_back(self, batch: list[Point], refused: Refused) -> None:
        with self._lock:
            if self._closed:
                return
            # Who refuses answers: the last batch may still be good.
            self.healthy, self._in_flight = refused.final and not refused.hopeless, 0
            if refused.final:
                self.dropped += len(batch)
            else:
                self._queue.extendleft(reversed(batch))
            self._room = 0 if refused.hopeless else self._room
            self._trim()
        self._note(str(refused))

    def _trim(self) -> None:
        while len(self._queue) > self._room:
            self._queue.popleft()
            self.dropped += 1


def write_once(target: Target, points: Sequence[Point]) -> str | None:
    """Write the points now, bounded by `ANSWER_WITHIN_S`; what was wrong in one line, None if nothing."""
    sink = InfluxSink(target, lambda _: None)
    sink.write(points)
    sink.close()
    return sink.trouble
