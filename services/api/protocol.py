"""HTTP as uvicorn speaks it, with two things of our own.

* A bound for the head of a request, which uvicorn gathers without end.
* The head and the body of an answer go out together. Sent one after the other, as uvicorn does it, they are two system
  calls and two packets, which took a quarter of the processor for a read.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request line with its headers."""


class JoinedWrites:
    """A transport's `write` and `close`. What comes in one turn of the event loop, or until `flush`, goes as one."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport: Final = transport
        self._loop: Final = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send soon."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Send now."""
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def is_closing(self) -> bool:
        """Whether the transport is closed, or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Send, then close."""
        self.flush()
        self._transport.close()


class Protocol(HttpToolsProtocol):
    """One connection. A head that grows beyond `MAX_HEAD` ends it, with what came in the same packet."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = True
        self._head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has come."""
        super().connection_made(transport)
        self._joined = JoinedWrites(transport, self.loop)

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_headers_complete(self) -> None:
        """The head is over; the request begins."""
        self._in_head = False
        super().on_headers_complete()
        self.cycle.transport = cast(asyncio.Transport, self._joined)

    def on_message_complete(self) -> None:
        """The next head begins."""
        self._in_head = True
        self._head = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is whole."""
        self._joined.flush()
        super().on_response_complete()
