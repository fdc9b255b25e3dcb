"""Write points to InfluxDB over HTTP: one request a batch, kept only when the answer is 204 No Content.

Anything else raises Refused with one line that names the setting to correct: a stranger's 200, a redirect, a 404.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from metrics.points import Point
from metrics.target import Target

KEPT: Final = 204
_SHOWN: Final = 60
_LOOKED_AT: Final = 4096
_URL: Final = "correct INFLUX_URL, which ends before /api/v2"
_TOKEN: Final = {
    401: "refuses the token: correct INFLUX_TOKEN",
    403: "refuses the token for this bucket: correct INFLUX_TOKEN, INFLUX_ORG or INFLUX_BUCKET",
}
_AGAIN: Final = (408, 429)


class Refused(Exception):
    """InfluxDB did not take the points. `final`: it never will take these; `hopeless`: nor any others."""

    def __init__(self, why: str, *, final: bool = False, hopeless: bool = False) -> None:
        super().__init__(why)
        self.final = final
        self.hopeless = hopeless


class Writer:
    """A connection to InfluxDB for one thread. `within_s` bounds each wait for the server."""

    def __init__(self, target: Target, within_s: float) -> None:
        # Half a second of imports that only runs with an InfluxDB pay, in the thread that needs them.
        import urllib3  # noqa: PLC0415
        from influxdb_client.client.write.point import Point as InfluxPoint  # noqa: PLC0415

        self._point: Any = InfluxPoint
        self._target = target
        self._within_s = within_s
        self._pool = urllib3.PoolManager(num_pools=1, timeout=urllib3.Timeout(within_s), retries=False)
        query = {"org": target.org, "bucket": target.bucket, "precision": "ns"}
        self._url = f"{target.url}/api/v2/write?{urlencode(query)}"
        self._headers = {
            "Authorization": f"Token {target.token}",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Encoding": "gzip",
        }

    def write(self, points: Sequence[Point]) -> None:
        """Write the points; all are kept when this returns. Raises Refused."""
        if not (lines := "\n".join(self._lines(points))):
            return
        # HTTPError of urllib3 is an OSError or a ValueError only here and there.
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            status, location, said = self._post(gzip.compress(lines.encode()))
        except (HTTPError, OSError, ValueError) as error:
            # The error's own text is not told: one of a header has the token in it.
            told = f"gives no answer ({self._reason(error)}): start it, correct INFLUX_URL, or unset it"
            raise Refused(f"InfluxDB at {self._target.url} {told}") from error
        if status != KEPT:
            raise self._refused(status, location, said)

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()

    def _lines(self, points: Sequence[Point]) -> Iterable[str]:
        for point in points:
            at = round(point.at * 1000) * 1_000_000
            record = {"measurement": point.measurement, "tags": point.tags, "fields": point.fields, "time": at}
            if line := self._point.from_dict(record).to_line_protocol():
                yield line

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, Location and the beginning of the body. A redirect is not followed: it would be a stranger's."""
        answer = self._pool.request(
            "POST", self._url, body=body, headers=self._headers, redirect=False, preload_content=False
        )
        if answer.status == KEPT:
            answer.release_conn()
            return KEPT, "", b""
        try:
            return answer.status, answer.headers.get("Location", ""), answer.read(_LOOKED_AT, decode_content=False)
        finally:
            answer.close()

    def _refused(self, status: int, location: str, said: bytes) -> Refused:
        told, hopeless = _why(status, location, said)
        final = hopeless or (400 <= status < 500 and status not in _AGAIN)
        return Refused(f"InfluxDB at {self._target.url} {told}", final=final, hopeless=hopeless)

    def _reason(self, error: BaseException) -> str:
        name = type(error).__name__
        if "Timeout" in name:
            return f"nothing within {self._within_s:g} s"
        if "SSL" in name or "SSL" in type(error.__cause__ or error.__context__).__name__:
            return "no TLS that can be trusted"
        if isinstance(error, UnicodeError):
            return "a setting has signs that can not be sent"
        inner = error.__cause__ or error.__context__
        return (inner.strerror if isinstance(inner, OSError) else None) or "the connection was cut"


def _why(status: int, location: str, said: bytes) -> tuple[str, bool]:
    """What an answer other than 204 means, and whether it is hopeless to try again. Pure."""
    if status in _TOKEN:
        return _TOKEN[status], True
    if status == 404:
        return _unknown(said), True
    if 200 <= status < 300 or status == 405:
        return f"answers {status} where InfluxDB answers {KEPT}, so nothing is kept: {_URL}", True
    if 300 <= status < 400:
        where = f" to {_harmless(location)}" if location else ""
        return f"answers {status}, elsewhere{where}: {_URL}", True
    message = _message(said)
    return f"refuses points: {status}" + (f" {_harmless(message)}" if message else ""), False


def _unknown(said: bytes) -> str:
    message = _message(said)
    if message is None or message == "path not found":
        return f"has nothing there (404): {_URL}"
    for word, name in (("organization", "INFLUX_ORG"), ("bucket", "INFLUX_BUCKET")):
        if word in message:
            return f"does not know that {word} (404): correct {name}"
    return "does not know that organisation or bucket: correct INFLUX_ORG or INFLUX_BUCKET"


def _message(said: bytes) -> str | None:
    """InfluxDB's own words in an answer, None when the answer is not InfluxDB's."""
    try:
        document = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return str(document.get("message", "")) if isinstance(document, dict) and "code" in document else None


def _harmless(text: str) -> str:
    """A stranger's text as it may be shown: without queries, logins and signs that steer a terminal, in one line."""
    shown = "".join(sign for sign in text.partition("?")[0].rpartition("@")[2] if sign.isprintable())
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
