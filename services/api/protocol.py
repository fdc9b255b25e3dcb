"""HTTP as uvicorn speaks it, with two things of our own.

* Bounds for the head of a request, which uvicorn gathers without end, and for the time that a request takes to arrive.
* The head and the body of an answer go out together. Sent one after the other, as uvicorn does it, they are two system
  calls and two packets, which took a quarter of the processor for a read.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request line with its headers, or of what stands between the pieces of a body."""

WHOLE_S: Final = 75
"""How long a request may take to arrive, and a connection to bring its first."""


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
    """One connection. A head that grows beyond `MAX_HEAD` ends it, and a request that is not whole after `WHOLE_S`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = True
        self._whole = False
        self._head = 0
        self._overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has come."""
        super().connection_made(transport)
        self._joined = JoinedWrites(transport, self.loop)
        self._overdue = self.loop.call_later(WHOLE_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head > MAX_HEAD:
            self.send_400_response("The head of the request is too long.")
        elif self._whole:
            self._in_time()
        elif self._overdue is None:
            self._overdue = self.loop.call_later(WHOLE_S, self.transport.close)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._whole = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. One that comes after the body is not heard: it would pass for one that came before."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is over; the request begins."""
        self._in_head = False
        super().on_headers_complete()
        self.cycle.transport = cast(asyncio.Transport, self._joined)

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which has a bound of its own."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next head begins."""
        self._in_head = True
        self._whole = True
        self._head = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is whole."""
        self._joined.flush()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what can not be read. While an earlier request is served, the caller would take it for its answer."""
        self._joined.flush()
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle and not cycle.response_complete and not cycle.more_body:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _in_time(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
