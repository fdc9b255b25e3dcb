"""HTTP/1.1 connection: bounds for a request's head and arrival, and writes that are joined, around uvicorn's protocol.

Composed over asyncio's Protocol and Transport: bytes pass through here before uvicorn parses them, and its answers pass
through here before they are sent. What it adds:

* a request line with its headers is at most `MAX_HEAD` bytes, one in chunks at most `MAX_CHUNKED`, and a request is
  whole within `WHOLE_S`; uvicorn would gather heads and trailers without end;
* the head and the body of an answer leave in one write (`joined_writes`);
* requests that a caller sends ahead wait here until the one before is answered, so a head that can not be read is
  refused after the answers before it, and never in the place of one;
* a request that is one too many (`admission`) is refused here, so that it costs little and leaves nothing; one whose
  head comes in pieces is with the parser by then, and served;
* the body is handed on after the application has taken the headers, so that a trailer does not pass for a header.

`services.api.serving.access` says where a request stands, by `Connection.begin` and `Connection.answered`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.serving.admission import ADMISSION, SPARED, Admission
from services.api.serving.joined_writes import JoinedWrites
from services.api.serving.unread import unread

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request line with its headers."""

MAX_CHUNKED: Final = 256 * 1024
"""Bytes of a request that comes in chunks, with all that stands between them and after the last."""

MAX_HELD: Final = 64 * 1024
"""Bytes that a caller may send ahead before its connection is read no further."""

WHOLE_S: Final = 75
"""How long a request may take to arrive, and a connection to bring its first."""

REFUSAL_S: Final = 1.0
"""How long the application may take to refuse a body in chunks that is too long, before the connection does it."""

CONNECTION: Final = "connection"
"""The name under which the ASGI state of a request has its connection."""

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")

LINGER_S: Final = 1.0
"""How long the rest of a body in chunks is read past after its answer."""

_TOO_LONG: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 36\r\n"
    b"connection: close\r\n\r\nThe head of the request is too long."
)

_WAITS: Final = b"at_least_version="
"""In the query of a read that waits for the projection."""

_NO_BODY: Final = -1
_CHUNKED: Final = -2


class Connection(asyncio.Protocol):
    """One connection. A head beyond `MAX_HEAD` is refused with 400; a request not whole after `WHOLE_S` is cut off.

    Requests that a caller sends ahead are held back, at most `MAX_HELD` bytes and what one read brings.
    """

    def __init__(self, *, app_state: dict[str, Any], **named: Any) -> None:
        self._inner: Final = HttpToolsProtocol(app_state={**app_state, CONNECTION: self}, **named)
        self._admission: Final[Admission] = app_state[ADMISSION]
        self._loop: Final = asyncio.get_running_loop()
        self._overdue: asyncio.TimerHandle | None = None
        self._held = bytearray()
        self._head = 0
        self._tail = b""
        self._chunks = 0
        # Bytes of the body that are still to come, or one of the two signs.
        self._body = _NO_BODY
        # Bytes that are still to come of the body of a request that was refused unread.
        self._past = 0
        # From the end of a head to `begin`, and from there to `answered`.
        self._starting = False
        self._serving = False
        self._counted = False
        self._behind = False

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, whose end is not seen here: its connection serves no further request."""
        return self._body == _CHUNKED

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller has come."""
        self._transport = JoinedWrites(cast(asyncio.Transport, transport), self._loop)
        self._inner.connection_made(self._transport)
        self._overdue = self._loop.call_later(WHOLE_S, self._transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        self._in_time()
        self._leave()
        self._held.clear()
        self._inner.connection_lost(exc)

    def eof_received(self) -> None:
        """The caller sends no more; what it sent is still answered."""
        self._inner.eof_received()

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self._behind = True
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._behind = False
        self._inner.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read what came, or hold it until its turn."""
        if self._held:
            self._hold(data)
        else:
            self._read(data)

    def begin(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """The application has the request's headers: the body may follow."""
        self._starting, self._serving = False, True
        self._body = _length(headers)
        if not self._body:
            self._whole()
        if self.chunked:
            self._transport.linger_s = LINGER_S
        self._release()

    def answered(self) -> None:
        """The answer is whole: send it, and read the next request."""
        self._transport.flush()
        self._serving = False
        self._leave()
        self._release()

    def _release(self) -> None:
        if self._held:
            data = bytes(self._held)
            self._held.clear()
            self._read(data)
            if len(self._held) <= MAX_HELD:
                self._transport.resume_reading()

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > MAX_HELD:
            self._transport.pause_reading()

    def _read(self, data: bytes) -> None:
        while data and not self._transport.is_closing():
            if self._starting or (self._serving and self._body == _NO_BODY):
                self._hold(data)
                return
            if self._past:
                data, self._past = data[self._past :], max(0, self._past - len(data))
                continue
            data = self._read_head(data) if self._body == _NO_BODY else self._read_body(data)

    def _read_head(self, data: bytes) -> bytes:
        """Hand on the head, as far as it has come; return what comes after it."""
        if not self._head and not (data := data.lstrip(b"\r\n")):
            return b""
        if self._overdue is None:
            self._overdue = self._loop.call_later(WHOLE_S, self._transport.close)
        if self._admission.full and not self._head and (head := self._shed(data)):
            return data[head:]
        seam = self._tail + data
        end = _END_OF_HEAD.search(seam)
        length = end.end() - len(self._tail) if end else len(data)
        self._head += length
        if self._head > MAX_HEAD:
            self._refuse()
            return b""
        self._starting = end is not None
        if end and seam.find(_WAITS, 0, end.end()) < 0:
            self._counted = True
            self._admission.enter()
        self._head, self._tail = (0, b"") if end else (self._head, seam[-2:])
        self._inner.data_received(data[:length])
        return data[length:]

    def _read_body(self, data: bytes) -> bytes:
        """Hand on the body, as far as it has come; return what comes after it."""
        if self._body == _CHUNKED:
            self._read_chunks(data)
            return b""
        body, rest = data[: self._body], data[self._body :]
        self._body -= len(body)
        if not self._body:
            self._whole()
        self._inner.data_received(body)
        return rest

    def _read_chunks(self, data: bytes) -> None:
        self._chunks += len(data)
        if self._chunks > MAX_CHUNKED:
            self._transport.pause_reading()
            self._in_time()
            self._overdue = self._loop.call_later(REFUSAL_S, self._refuse)
        self._inner.data_received(data)

    def _shed(self, data: bytes) -> int:
        """Refuse the request that begins the data, unless it is spared; the bytes of its head, 0 where it is served.

        The connection's time runs on: it ends where no request is served within it. A caller who asks on and does not
        read is cut off, for nothing holds back what it would be sent.
        """
        request = unread(data)
        if request is None or request.path in SPARED:
            return 0
        if self._behind:
            self._transport.abort()
            return request.head
        self._admission.refused += 1
        self._transport.write(self._admission.refusal)
        self._transport.flush()
        if request.body is None:
            self._transport.linger_s = LINGER_S
            self._transport.close()
        self._past = request.body or 0
        return request.head

    def _leave(self) -> None:
        if self._counted:
            self._counted = False
            self._admission.leave()

    def _refuse(self) -> None:
        self._transport.write(_TOO_LONG)
        self._transport.close()

    def _whole(self) -> None:
        self._body = _NO_BODY
        self._in_time()

    def _in_time(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes of the body that belongs to the headers, which uvicorn has found well-formed; `_CHUNKED` for chunks."""
    length = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return _CHUNKED
        if name == b"content-length":
            length = int(value)
    return length
