"""A keep-alive HTTP connection that is cheap enough to measure with."""

from __future__ import annotations

import asyncio
from typing import Final, cast
from urllib.parse import urlsplit

_HEAD: Final = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_BODY: Final = b'{"text":"buy milk, bread and a newspaper"}'
_WITHOUT_BODY: Final = _HEAD + b"\r\n"
_WITH_BODY: Final = (
    _HEAD + b"Content-Type: application/json\r\nContent-Length: " + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY
)


def written(method: bytes, path: bytes) -> bytes:
    """A request, with a body if it is a POST or a PUT."""
    return method + b" " + path + (_WITH_BODY if method in (b"POST", b"PUT") else _WITHOUT_BODY)


def parsed(received: bytes) -> tuple[int, bytes, bytes] | None:
    """Status and body of the answer, and what came after it; None until it is whole."""
    head, found, rest = received.partition(b"\r\n\r\n")
    if not found:
        return None
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return (int(head[9:12]), rest[:length], rest[length:]) if len(rest) >= length else None


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._answer and (answer := parsed(self._received)) is not None:
            status, body, self._received = answer
            self._answer.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    async def send(self, method: bytes, path: bytes) -> tuple[int, bytes]:
        """Send one request, with a body if it is a POST or a PUT; returns status and body."""
        assert self._transport
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(written(method, path))
        return await self._answer


async def connect(base_url: str, count: int) -> list[Connection]:
    """Open connections to the server of `base_url`."""
    address, loop = urlsplit(base_url), asyncio.get_running_loop()
    host, port = address.hostname or "", address.port or 80
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]
