"""JSON-over-HTTP client for the few calls that are not load: readiness, statistics, the final read.

Built on the standard library, so it works in the plain supervisor and, cooperatively, in Locust's process.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Any, Final
from urllib.parse import urlsplit

from services.loadgen.contract import OutsideContract, shown

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer."""


class HttpError(Exception):
    """No usable answer came: refused, cut off, timed out, or not as the contract says. The message names the call."""


@dataclass(frozen=True)
class Answer:
    """What a call was answered with."""

    method: str
    path: str
    status: int
    content: bytes

    @cached_property
    def document(self) -> Any:
        """The decoded body, None where there is none. Raises HttpError for one that is not JSON."""
        try:
            return json.loads(self.content) if self.content else None
        except (ValueError, RecursionError):
            raise HttpError(str(self.outside("JSON"))) from None

    def outside(self, expected: str) -> OutsideContract:
        """That it is not what was expected."""
        return OutsideContract(self.method, self.path, self.status, self.content, expected)


class HttpClient:
    """One kept-alive connection to a base URL, for one caller at a time; a whole answer comes within `timeout_s`."""

    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        parts = urlsplit(base_url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)
        self._socket: socket.socket | None = None
        self._timeout_s = timeout_s
        self._prefix = parts.path

    def call(self, method: str, path: str) -> Answer:
        """One request, only ever a harmless one: it is sent again when the server closed the kept connection meanwhile.

        Raises HttpError.
        """
        kept = self._connection.sock is not None
        try:
            return self._call(method, path)
        except (ConnectionError, HTTPException) as error:
            if not kept:
                raise self._failed(method, path, error) from error
        except OSError as error:
            raise self._failed(method, path, error) from error
        try:
            return self._call(method, path)
        except (OSError, HTTPException) as error:
            raise self._failed(method, path, error) from error

    def get(self, path: str) -> Any:
        """The document of a 200 answer. Raises HttpError for anything else."""
        answer = self.call("GET", path)
        if answer.status != 200:
            raise HttpError(str(answer.outside("200")))
        return answer.document

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()

    def _call(self, method: str, path: str) -> Answer:
        # A wait for bytes is bounded by the socket, all of them together by the clock.
        late = threading.Event()
        watch = threading.Timer(self._timeout_s, self._hang_up, (late,))
        watch.daemon = True
        watch.start()
        try:
            answer = self._answer(method, path)
            if late.is_set():
                raise TimeoutError
            return answer
        except (OSError, HTTPException, HttpError) as error:
            self._connection.close()
            if late.is_set():
                raise TimeoutError("not whole in time") from error
            raise
        finally:
            watch.cancel()

    def _answer(self, method: str, path: str) -> Answer:
        self._connection.request(method, self._prefix + path, headers={"Accept": "application/json"})
        # An answer without a length has it to itself from here on.
        self._socket = self._connection.sock
        response = self._connection.getresponse()
        content = response.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise HttpError(f"{method} {shown(path)} answered more than {LARGEST} bytes")
        if response.length:
            raise IncompleteRead(content, response.length)
        return Answer(method, path, response.status, content)

    def _hang_up(self, late: threading.Event) -> None:
        late.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _failed(self, method: str, path: str, error: Exception) -> HttpError:
        said = shown(str(error) or type(error).__name__)
        within = f", expected an answer within {self._timeout_s:g} s" if isinstance(error, TimeoutError) else ""
        return HttpError(f"{method} {shown(path)}: {said}{within}")
