"""HTTP session of a user: one kept-alive connection, on which a request is sent exactly once.

Clients of general use send a PUT or a DELETE again without a word when a connection breaks, as RFC 9110 lets them. Here
a second PUT would be a second event, and a second DELETE would be refused though the first one was carried out.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from services.loadgen.workload.http.answers import AnswerParser, BadAnswer
from services.loadgen.workload.http.connections import TIMEOUT_S, Connection, connect

IDLE_MOST_S: Final = 4.0
"""A connection that was idle for longer serves no further request.

Servers close one that is idle (uvicorn and Node after 5 s unless told otherwise, our API after 75 s). A request that
meets the close half-way is lost, and a user who thinks as long as the server waits would meet it again and again.
"""

WHOLE_S: Final = TIMEOUT_S
"""How long an answer may take, in however many parts it comes; looked at as each of them does."""


@dataclass(slots=True)
class Answer:
    """An answer, `seconds` after its request; status 0 and an `error` where none came."""

    status: int
    seconds: float
    content: bytes = b""
    headers: list[tuple[bytes, bytes]] | None = None
    error: Exception | None = None

    def header(self, name: bytes) -> str | None:
        """The value of a header, whose name is given in small letters; None when it has none."""
        return next((value.decode("latin-1") for known, value in self.headers or () if known.lower() == name), None)


class HttpSession:
    """A user's connection to the server; opened when it is first needed, and again after it was closed."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or "127.0.0.1"
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._connection: Connection | None = None
        self._parser = AnswerParser()
        self._used_at = 0.0
        common = f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nAccept: application/json\r\n"
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            common += f"Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n"
        self._common = common

    def request(self, method: str, path: str, body: bytes | None = None, request_id: str | None = None) -> Answer:
        """Send one request and read its answer whole. No error is raised: whether a lost one was served is unknown."""
        began = time.perf_counter()
        try:
            connection = self._connected(began)
            connection.send(self._message(method, path, body, request_id))
            parser = self._parser
            while not parser.feed(connection.receive()):
                if time.perf_counter() - began > WHOLE_S:
                    raise TimeoutError(f"the answer was not whole within {WHOLE_S:g} s")
        except (OSError, BadAnswer) as error:
            self.close()
            return Answer(0, time.perf_counter() - began, error=error)
        except BaseException:
            # A greenlet that is killed leaves an answer that nobody reads.
            self.close()
            raise
        if not parser.keeps_connection:
            self.close()
        self._used_at = now = time.perf_counter()
        return Answer(parser.status, now - began, parser.content, parser.headers)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _message(self, method: str, path: str, body: bytes | None, request_id: str | None) -> bytes:
        name = "" if request_id is None else f"X-Request-Id: {request_id}\r\n"
        if body is None:
            return f"{method} {path}{self._common}{name}\r\n".encode("latin-1")
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return f"{method} {path}{self._common}{name}{kind}".encode("latin-1") + body

    def _connected(self, now: float) -> Connection:
        """The kept connection, unless it is spent or was idle for long; else a new one."""
        if self._connection is not None and (now - self._used_at > IDLE_MOST_S or self._connection.spent()):
            self.close()
        if self._connection is None:
            self._parser = AnswerParser()
            self._connection = connect(self._host, self._port, tls=self._tls)
        else:
            self._parser.begin()
        return self._connection
