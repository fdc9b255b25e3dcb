"""HTTP as uvicorn reads it, with a bound: it would gather a head without end."""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request line with its headers."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection of which no head is read beyond `MAX_HEAD` and what came with its last part: that ends it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = True
        self._head = 0

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

    def on_message_complete(self) -> None:
        """The next head begins."""
        self._in_head = True
        self._head = 0
        super().on_message_complete()
