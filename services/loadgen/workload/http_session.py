"""HTTP session of a user: one kept-alive connection, on which a request is sent exactly once.

Clients of general use send a PUT or a DELETE again without a word when a connection breaks, as RFC 9110 lets them. Here
a second PUT would be a second event, and a second DELETE would be refused though the first one was carried out.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from gevent import select, socket, ssl
from geventhttpclient.response import HTTPParseError, HTTPSocketResponse

TIMEOUT_S: Final = 10.0
"""For connecting, and for each wait for the server."""


@dataclass(frozen=True)
class Answer:
    """An answer, `seconds` after its request; status 0 and an `error` where none came."""

    status: int
    seconds: float
    content: bytes = b""
    headers: Mapping[str, Any] = field(default_factory=dict)
    error: Exception | None = None


class HttpSession:
    """A user's connection to the server; opened when it is first needed, and again after it was closed."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or "127.0.0.1"
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._socket: Any = None
        self._common = f"Host: {parts.netloc.rpartition('@')[2]}\r\nAccept: application/json\r\n"
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._common += f"Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n"

    def request(self, method: str, path: str, body: bytes | None = None, request_id: str | None = None) -> Answer:
        """Send one request and read its answer whole. No error is raised: whether a lost one was served is unknown."""
        began = time.perf_counter()
        try:
            sock = self._connected()
            sock.sendall(self._message(method, path, body, request_id))
            response = HTTPSocketResponse(sock, method=method)
            content = response.read()
        except (OSError, HTTPParseError) as error:
            self.close()
            return Answer(0, time.perf_counter() - began, error=error)
        except BaseException:
            # A greenlet that is killed leaves an answer that nobody reads.
            self.close()
            raise
        if response.should_close():
            self.close()
        return Answer(response.status_code, time.perf_counter() - began, content, response.info())

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _message(self, method: str, path: str, body: bytes | None, request_id: str | None) -> bytes:
        head = f"{method} {path} HTTP/1.1\r\n{self._common}"
        if request_id is not None:
            head += f"X-Request-Id: {request_id}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode("latin-1") + (body or b"")

    def _connected(self) -> Any:
        """The kept connection, unless the server has closed it meanwhile; else a new one."""
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.close()
        if self._socket is None:
            sock = socket.create_connection((self._host, self._port), timeout=TIMEOUT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = _tls().wrap_socket(sock, server_hostname=self._host) if self._tls else sock
        return self._socket


@cache
def _tls() -> Any:
    return ssl.create_default_context()
