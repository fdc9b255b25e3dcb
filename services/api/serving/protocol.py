"""HTTP/1.1 connection: bounds for a request's head and arrival, and writes that are joined, around uvicorn's protocol.

Composed over asyncio's Protocol and Transport: bytes pass through here before uvicorn parses them, and its answers pass
through here before they are sent. What it adds:

* a request line, a head and a request in chunks have the most bytes that `services.api.serving.bounds` says; uvicorn
  would gather heads and trailers without end;
* a request is whole, and an answer taken, within the time that a caller is waited for, however it comes and goes;
* so many connections at once as there are files for them;
* the head and the body of an answer leave in one write (`joined_writes`);
* requests that a caller sends ahead wait here until the one before is answered, so a head that can not be read is
  refused after the answers before it, and never in the place of one;
* a request that is one too many (`admission`) is refused here, so that it costs little and leaves nothing; one whose
  head comes in pieces is with the parser by then, and served;
* when the process ends, a request that comes meanwhile on a connection that idled is served, and told that it was the
  last (`Connection: close`, RFC 9112 9.6);
* the body is handed on after the application has taken the headers, so that a trailer does not pass for a header.

`services.api.serving.access` says where a request stands, by `Connection.begin` and `Connection.answered`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.serving import raw_answers
from services.api.serving.admission import ADMISSION, SPARED, Admission
from services.api.serving.bounds import LAST_S, LINGER_S, MAX_CHUNKED, MAX_HEAD, MAX_HELD, MAX_LINE, REFUSAL_S
from services.api.serving.deadline import Deadline
from services.api.serving.joined_writes import JoinedWrites
from services.api.serving.unread import unread

CONNECTION: Final = "connection"
"""The name under which the ASGI state of a request has its connection."""

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")

_UPGRADE: Final = re.compile(rb"\nupgrade(?=:)", re.IGNORECASE)
_PASSED_OVER: Final = b"\nx-upgrade"
"""Another protocol that is asked for is passed over; the parser would take a body for that protocol's."""

_WAITS: Final = b"at_least_version="
"""In the query of a read that waits for the projection."""

_NO_BODY: Final = -1
_CHUNKED: Final = -2


class Http(HttpToolsProtocol):
    """uvicorn's protocol. What it can not read is refused as a problem document, as everything else is."""

    def send_400_response(self, msg: str) -> None:
        """Refuse, and end the connection."""
        self.transport.write(raw_answers.MALFORMED)
        self.transport.close()

    def shutdown(self) -> None:
        """The process ends. One that idles is kept for `LAST_S`: closed at once, it would reset what a caller sends."""
        connection: Connection = self.app_state[CONNECTION]
        if not connection.finish():
            super().shutdown()


class Connection(asyncio.Protocol):
    """One connection, one of `most` at a time, whose caller is waited for `patience_s` at each turn.

    What is too long is refused with 413, 414 or 431, what is late with 408, one connection too many with 503. Requests
    that a caller sends ahead are held back, at most `MAX_HELD` bytes and what one read brings.
    """

    def __init__(self, *, app_state: dict[str, Any], patience_s: float, most: int, **named: Any) -> None:
        self._inner: Final = Http(app_state={**app_state, CONNECTION: self}, **named)
        self._admission: Final[Admission] = app_state[ADMISSION]
        self._loop: Final = asyncio.get_running_loop()
        self._patience_s: Final = patience_s
        self._most: Final = most
        self._arrival: Final = Deadline(self._loop, patience_s, self._late)
        self._taking: Final = Deadline(self._loop, patience_s, self._unread)
        self._refusal: asyncio.TimerHandle | None = None
        self._admitted = False
        self._ended = False
        self._held = bytearray()
        self._head = 0
        self._line = 0
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
        self._finishing = False

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, whose end is not seen here."""
        return self._body == _CHUNKED

    @property
    def last(self) -> bool:
        """Whether its connection serves no further request."""
        return self._finishing or self.chunked

    @property
    def _idle(self) -> bool:
        return not (self._head or self._starting or self._serving)

    def finish(self) -> bool:
        """Serve one more request at most, that begins within `LAST_S`. False where one is under way."""
        self._finishing = True
        if self._idle:
            self._loop.call_later(LAST_S, self._close_idle)
        return self._idle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller has come; one too many is turned away."""
        self._transport = JoinedWrites(cast(asyncio.Transport, transport), self._loop, self._patience_s)
        self._admitted = len(self._inner.connections) < self._most
        if not self._admitted:
            self._refuse(raw_answers.FULL)
            return
        self._inner.connection_made(self._transport)
        self._arrival.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        self._arrival.end()
        self._taking.end()
        if self._refusal is not None:
            self._refusal.cancel()
        self._leave()
        self._held.clear()
        self._transport.gone()
        if self._admitted:
            self._inner.connection_lost(exc)

    def eof_received(self) -> bool:
        """The caller sends no more; what it sent is still answered, and a part of a request refused."""
        self._ended = True
        self._refuse_a_part()
        # The end of chunks is not seen here, and a part of them would be waited for in vain.
        return (self._starting or self._serving) and not self.chunked

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self._behind = True
        self._taking.begin()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._behind = False
        self._taking.rest()
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
        self._refuse_a_part()

    def answered(self) -> None:
        """The answer is whole: send it, and read the next request."""
        self._transport.flush()
        self._serving = False
        self._leave()
        if self._body == _NO_BODY:
            self._arrival.begin()
        self._release()
        self._refuse_a_part()
        if self._ended and not (self._starting or self._serving):
            self._transport.close()

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
        if not self._head:
            if not (data := data.lstrip(b"\r\n")):
                return b""
            self._arrival.begin()
            if self._admission.full and (length := self._shed(data)):
                return data[length:]
        seam = self._tail + data
        end = _END_OF_HEAD.search(seam)
        length = end.end() - len(self._tail) if end else len(data)
        if too_long := self._too_long(data, length):
            self._refuse(too_long)
            return b""
        self._starting = end is not None
        if end and seam.find(_WAITS, 0, end.end()) < 0:
            self._counted = True
            self._admission.enter()
        self._tail = b"" if end else seam[-2:]
        if end:
            self._head = self._line = 0
        part = data[:length]
        self._inner.data_received(_UPGRADE.sub(_PASSED_OVER, part) if b"pgrade:" in part else part)
        return data[length:]

    def _too_long(self, data: bytes, length: int) -> bytes | None:
        """Count what has come of a head. Returns the refusal of one that is too long."""
        if self._head == self._line:
            newline = data.find(b"\n", 0, length)
            self._line += length if newline < 0 else newline
        self._head += length
        if self._line > MAX_LINE:
            return raw_answers.LONG_LINE
        return raw_answers.LONG_HEAD if self._head > MAX_HEAD else None

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
        if self._chunks > MAX_CHUNKED and self._refusal is None:
            self._transport.pause_reading()
            self._refusal = self._loop.call_later(REFUSAL_S, self._refuse, raw_answers.LONG_CHUNKS)
        self._inner.data_received(data)

    def _shed(self, data: bytes) -> int:
        """Refuse the request that begins the data, unless it is spared; its bytes that have come, 0 where it is served.

        The connection's time runs on: it ends where no request is served within it. A caller who asks on and does not
        read is cut off, for nothing holds back what it would be sent.
        """
        path, head, body = unread(data)
        if not head or path in SPARED:
            return 0
        if self._behind:
            self._transport.abort()
            return len(data)
        self._admission.refused += 1
        self._transport.write_now(self._admission.refusal)
        if body is None:
            self._transport.linger_s = LINGER_S
            self._transport.close()
            return len(data)
        self._past = max(0, head + body - len(data))
        return head + body

    def _leave(self) -> None:
        if self._counted:
            self._counted = False
            self._admission.leave()

    def _refuse_a_part(self) -> None:
        """Of a caller that sends no more: what is left of a request is all that there will be."""
        if self._ended and not self._held and (self._head or (self._serving and self._body > 0)):
            self._refuse(raw_answers.CUT_OFF)

    def _refuse(self, answer: bytes) -> None:
        self._transport.write(answer)
        self._transport.close()

    def _late(self) -> None:
        """Tell one whose request has begun and is not answered; close on one that was idle without a word."""
        if self._head or (self._serving and self._body != _NO_BODY):
            self._transport.write(raw_answers.LATE)
        self._transport.close()

    def _close_idle(self) -> None:
        if self._idle:
            self._transport.close()

    def _unread(self) -> None:
        self._transport.abort()

    def _whole(self) -> None:
        self._body = _NO_BODY
        self._arrival.rest()


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes of the body that belongs to the headers, which uvicorn has found well-formed; `_CHUNKED` for chunks."""
    length = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return _CHUNKED
        if name == b"content-length":
            length = int(value)
    return length
