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
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) >= length and self._answer:
            self._received = rest[length:]
            self._answer.set_result((int(head[9:12]), rest[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    async def send(self, method: bytes, path: bytes) -> tuple[int, bytes]:
        """Send one request, with a body if it is a POST or a PUT; returns status and body."""
        assert self._transport
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(method + b" " + path + (_WITH_BODY if method in (b"POST", b"PUT") else _WITHOUT_BODY))
        return await self._answer


async def connect(base_url: str, count: int) -> list[Connection]:
    """Open connections to the server of `base_url`."""
    address, loop = urlsplit(base_url), asyncio.get_running_loop()
    host, port = address.hostname or "", address.port or 80
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]
