"""Write coalescing: a transport that sends head and body of an answer as one packet.

Sent one after the other, as uvicorn writes them, they are two system calls and two packets, which took a quarter of the
processor for a read.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final


class JoinedWrites(asyncio.Transport):
    """A transport around another. What is written in one turn of the event loop, or until `flush`, is sent as one.

    Once it is closed, what a caller has not taken within `patience_s` is dropped.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, patience_s: float) -> None:
        super().__init__()
        self._transport: Final = transport
        self._loop: Final = loop
        self._patience_s: Final = patience_s
        self._drop: asyncio.TimerHandle | None = None
        self._parts: list[bytes] = []
        self._paused = False
        self._ending = False
        self.linger_s = 0.0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send soon; nothing after the end."""
        if self._ending:
            return
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(bytes(data))

    def write_now(self, data: bytes) -> None:
        """Send now, after what was to be sent soon: for an answer that is whole."""
        self.flush()
        self._transport.write(data)

    def flush(self) -> None:
        """Send now."""
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Send, then close. With `linger_s`, read past what still comes for so long: else it would undo the answer."""
        if self._ending:
            return
        self._ending = True
        self.flush()
        self._drop = self._loop.call_later(self._patience_s, self._transport.abort)
        if self.linger_s and not self._transport.is_closing():
            self._transport.write_eof()
            self._read_on()
            self._loop.call_later(self.linger_s, self._transport.close)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def gone(self) -> None:
        """The connection has ended."""
        if self._drop is not None:
            self._drop.cancel()
            self._drop = None

    def is_closing(self) -> bool:
        """Whether the transport is closed, or about to be."""
        return self._ending or self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows of its socket."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Let the caller wait; again and again is harmless."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self.is_closing():
            self._read_on()

    def _read_on(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
