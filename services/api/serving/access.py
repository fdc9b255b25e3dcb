"""ASGI middleware around the whole application: request id, metrics, and one log line a request (at level debug).

It also tells the connection where the request stands, so that the next one is read after the answer to this one.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Final, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from services.api.serving.admission import ADMISSION, Admission
from services.api.serving.protocol import CONNECTION, Connection

HEADER: Final = b"x-request-id"

_CLOSE: Final = (b"connection", b"close")

# Random once a process, then counted: an id has to tell requests apart, and random bytes are a system call each.
_PROCESS: Final = secrets.token_hex(4).encode()
_requests: Final = itertools.count(1)

_USABLE: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_current: Final[ContextVar[str]] = ContextVar("request_id", default="")

log = structlog.get_logger()

Observe = Callable[[str, str, int, float], None]
"""Told of an answer: method, route, status, and seconds."""


def request_id() -> str:
    """The id of the request being answered, empty outside of one."""
    return _current.get()


class Access:
    """An ASGI application around another. A caller's own usable X-Request-Id is kept; `observe` is told each answer.

    The server's connections find `admission` in the state of the lifespan: what they refuse is not seen here.
    """

    def __init__(self, app: ASGIApp, observe: Observe, admission: Admission, *, verbose: bool = False) -> None:
        self.app: Final = app
        self._observe: Final = observe
        self._admission: Final = admission
        self._verbose = verbose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            cast(dict[str, Any], scope).setdefault("state", {})[ADMISSION] = self._admission
            await self.app(scope, receive, send)
            return
        # A copy: what uvicorn reads later, a trailer, is no header.
        scope["headers"] = headers = list(scope["headers"])
        connection: Connection = scope["state"].pop(CONNECTION)
        connection.begin(headers)
        identity = _identity(headers)
        _current.set(identity.decode())
        started = perf_counter()
        status = 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                closing = (_CLOSE,) if connection.last else ()
                message["headers"] = [*message["headers"], (HEADER, identity), *closing]
            await send(message)

        try:
            await self.app(scope, receive, stamped)
            connection.answered()
        finally:
            elapsed = perf_counter() - started
            route = scope.get("path_template") or "unmatched"
            self._observe(scope["method"], route, status, elapsed)
            if self._verbose:
                self._log(scope, status, elapsed)

    @staticmethod
    def _log(scope: HTTPScope, status: int, elapsed: float) -> None:
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(elapsed * 1000, 3),
            request_id=request_id(),
        )


def _identity(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if name == HEADER and _USABLE.fullmatch(value):
            return value
    return b"%b%08x" % (_PROCESS, next(_requests) & 0xFFFFFFFF)
