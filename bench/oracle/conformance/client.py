"""HTTP client of the suite: bounded in time and size, without proxies and redirects; a 503 is sent again, and kept.

An answer carries what was sent, so that whoever finds it wrong can show both.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import urllib3

TIMEOUT_S: Final = 10.0
"""For a whole answer, connection included."""
MOST: Final = 16 * 1024 * 1024
"""Bytes of an answer."""
SILENT: Final = 3
"""So many calls in a row without an answer, and it is asked whether anybody is there at all."""
AGAIN: Final = 5
PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
CONNECTIONS: Final = 32
SHOWN: Final = 200

_CUT: Final = (urllib3.exceptions.ProtocolError, ConnectionError)


class NoAnswer(Exception):
    """A call without an answer. `cut`: the connection was there, and ended."""

    def __init__(self, sent: str, why: str, *, cut: bool = False) -> None:
        self.sent, self.why, self.cut = sent, why, cut
        super().__init__(f"{sent}: {why}")


@dataclass(frozen=True)
class Seen:
    """What a check rests on, in words."""

    sent: str
    came: str


class Broken(Exception):
    """The rule does not hold."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        super().__init__(f"{seen.sent}: {seen.came}")


@dataclass(frozen=True)
class Answer:
    """What came. `document` is None where the content is no JSON."""

    sent: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Taken, whatever the exact status."""
        return 200 <= self.status < 300

    @cached_property
    def document(self) -> Any:
        """The content as JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def field(self, name: str) -> Any:
        """A field of the document, None where it is not there."""
        return self.document.get(name) if isinstance(self.document, dict) else None

    def header(self, name: str) -> str:
        """A header, empty where it is not there."""
        return self.headers.get(name, "")

    @property
    def tag(self) -> int | None:
        """The version that ETag has."""
        tag = self.header("etag").removeprefix("W/")
        quoted = len(tag) > 2 and tag[0] == tag[-1] == '"'
        return int(tag[1:-1]) if quoted and tag[1:-1].isascii() and tag[1:-1].isdecimal() else None

    @property
    def came(self) -> str:
        """Status and content in one line."""
        tag = f" ETag: {self.header('etag')}" if self.header("etag") and not self.content else ""
        return f"{self.status}{tag} {shorten(self.content.decode('utf-8', 'replace'))}".strip()

    def must(self, holds: bool, came: str = "") -> Seen:
        """What was seen; `came` stands in for the answer where that alone does not show it. Raises Broken."""
        seen = Seen(self.sent, came or self.came)
        if not holds:
            raise Broken(seen)
        return seen


class Client:
    """Calls to one base URL, from many threads. `unavailable` are all answers with 503."""

    def __init__(self, base_url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, retries=False)
        self._silent = 0
        self._gone = False
        self.unavailable: list[Answer] = []

    @property
    def silent(self) -> bool:
        """Nobody answers there any more: asked once, after some calls in a row had no answer."""
        if self._silent >= SILENT and not self._gone:
            try:
                self._send("GET", "/readyz", None, {})
            except NoAnswer:
                self._gone = True
        return self._gone

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer; a 503 is waited out as its `Retry-After` says, a few times. Raises NoAnswer."""
        for _ in range(AGAIN):
            answer = self._send(method, path, body, headers or {})
            if answer.status != 503:
                break
            self.unavailable.append(answer)
            time.sleep(_pause(answer))
        return answer

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        sent = _sent(method, path, body, headers)
        begun = time.monotonic()
        typed = {"Content-Type": "application/json"} if body is not None else {}
        try:
            response = self._pool.request(
                method,
                self._base_url + path,
                body=body,
                headers={**typed, **headers},
                preload_content=False,
                redirect=False,
                timeout=urllib3.Timeout(total=self._timeout_s),
            )
            content = self._content(response, sent, begun + self._timeout_s)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            cut = isinstance(error, _CUT)
            self._silent += not cut
            raise NoAnswer(sent, self._why(error), cut=cut) from error
        self._silent = 0
        told = {name.lower(): value for name, value in response.headers.items()}
        return Answer(sent, response.status, told, content, time.monotonic() - begun)

    def _why(self, error: Exception) -> str:
        if isinstance(error, urllib3.exceptions.TimeoutError):
            return f"no answer within {self._timeout_s:g} s"
        return f"no answer: {shorten(str(error))}"

    def _content(self, response: urllib3.BaseHTTPResponse, sent: str, deadline: float) -> bytes:
        content = b""
        for part in response.stream(65536):
            content += part
            if len(content) > MOST or time.monotonic() > deadline:
                response.close()
                self._silent += 1
                raise NoAnswer(sent, f"more than {MOST} bytes, or not whole within {self._timeout_s:g} s")
        response.release_conn()
        return content


def shorten(text: str) -> str:
    """One line of bounded length."""
    line = " ".join(text[: 4 * SHOWN].split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _sent(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> str:
    words = [method, path, *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        words.append(body[: 4 * SHOWN].decode("utf-8", "backslashreplace"))
    return shorten(" ".join(words))


def _pause(answer: Answer) -> float:
    after = answer.header("retry-after")
    return min(float(after), LONGEST_PAUSE_S) if after.isascii() and after.isdecimal() else PAUSE_S
