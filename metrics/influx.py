"""The sink to InfluxDB. It never slows or fails the run that feeds it: what it can not write it drops and counts.

One thread writes synchronously, a batch a second; the caller only ever appends to a bounded queue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from metrics.points import Point
from metrics.target import Target

KEPT: Final = 20_000
BATCH: Final = 5_000
FLUSH_EVERY_S: Final = 1.0
ANSWER_WITHIN_S: Final = 2.0
"""The longest that one write may take, and so about the longest that `close` can."""
_NO_USE_TRYING_AGAIN: Final = {
    401: "refuses the token: correct INFLUX_TOKEN",
    403: "refuses the token for this bucket: correct INFLUX_TOKEN, INFLUX_ORG or INFLUX_BUCKET",
    404: "does not know that organisation or bucket: correct INFLUX_ORG or INFLUX_BUCKET",
}


class Refused(Exception):
    """InfluxDB did not take the points. `final`: it never will take these; `hopeless`: nor any others."""

    def __init__(self, why: str, *, final: bool = False, hopeless: bool = False) -> None:
        super().__init__(why)
        self.final = final
        self.hopeless = hopeless


class Writer:
    """A connection to InfluxDB for one thread."""

    def __init__(self, target: Target) -> None:
        # Half a second of imports that only runs with an InfluxDB pay, in the thread that needs them.
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415
        from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415

        self._target = target
        self._client: Any = InfluxDBClient(
            target.url,
            target.token,
            org=target.org,
            timeout=round(ANSWER_WITHIN_S * 1000),
            enable_gzip=True,
            retries=False,
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, points: Sequence[Point]) -> None:
        """Write the points; all are kept when this returns. Raises Refused."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        records = [_record(point) for point in points]
        try:
            self._api.write(self._target.bucket, record=records)
        except ApiException as error:
            raise self._refused(error) from error
        except (HTTPError, OSError) as error:
            told = f"gives no answer ({_reason(error)}): start it, correct INFLUX_URL, or unset it"
            raise Refused(f"InfluxDB at {self._target.url} {told}") from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _refused(self, error: Any) -> Refused:
        status = int(error.status or 0)
        told = _NO_USE_TRYING_AGAIN.get(status, f"refuses points: {status} {error.reason}")
        final = 400 <= status < 500 and status != 429
        return Refused(f"InfluxDB at {self._target.url} {told}", final=final, hopeless=status in _NO_USE_TRYING_AGAIN)


class InfluxSink:
    """Takes points at any time from any thread. `tell` is called once, with one line, when the first write fails.

    `written` and `dropped` are points so far; `trouble` says why a first write failed, None if none did; `healthy` is
    whether it answered the last write and may take another.
    """

    def __init__(self, target: Target, tell: Callable[[str], None]) -> None:
        self._target = target
        self._tell = tell
        self._lock = threading.Lock()
        self._queue: deque[Point] = deque()
        self._in_flight = 0
        self._room = KEPT
        self.healthy = True
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
        """Wait until the first points taken are written, or `tell` was called; at most about `ANSWER_WITHIN_S`."""
        self._tried.wait()

    def close(self) -> None:
        """Write what is held back, if the last attempt was good, and count the rest as dropped.

        Returns at once when the server refuses, and within two times `ANSWER_WITHIN_S` when it keeps silent.
        """
        self._ending.set()
        self._thread.join(2 * ANSWER_WITHIN_S)
        with self._lock:
            self.dropped += self._in_flight
            self._room = 0
            self._trim()

    def _run(self) -> None:
        try:
            self._write_all()
        finally:
            self._tried.set()

    def _write_all(self) -> None:
        writer = Writer(self._target)
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
            # Who refuses answers: the last batch may still be good.
            self.healthy, self._in_flight = refused.final and not refused.hopeless, 0
            if refused.final:
                self.dropped += len(batch)
            else:
                self._queue.extendleft(reversed(batch))
            self._room = 0 if refused.hopeless else self._room
            self._trim()
            first, self.trouble = self.trouble is None, self.trouble or str(refused)
        if first:
            self._tell(self.trouble)

    def _trim(self) -> None:
        while len(self._queue) > self._room:
            self._queue.popleft()
            self.dropped += 1


def write_once(target: Target, points: Sequence[Point]) -> str | None:
    """Write the points now, within `ANSWER_WITHIN_S`; what was wrong in one line, None if nothing."""
    writer = Writer(target)
    try:
        writer.write(points)
    except Refused as refused:
        return str(refused)
    finally:
        writer.close()
    return None


def _record(point: Point) -> dict[str, Any]:
    at = round(point.at * 1000) * 1_000_000
    return {"measurement": point.measurement, "tags": point.tags, "fields": point.fields, "time": at}


def _reason(error: BaseException) -> str:
    if "Timeout" in type(error).__name__:
        return f"nothing within {ANSWER_WITHIN_S:g} s"
    inner = error.__cause__ or error.__context__
    return (inner.strerror if isinstance(inner, OSError) else None) or "the connection was cut"
