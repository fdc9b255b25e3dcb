"""Message framing of Postgres's backend protocol, far enough to leave out NotificationResponse ('A') and nothing else.

All other bytes pass as they are. Every message is followed from the first one on, whether or not any is left out, so
that it is known at each moment where one begins. What is encrypted can not be read, and passes whole.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

NOTIFICATION: Final = ord("A")
NEGOTIATION: Final = (80877103, 80877104)
"""SSLRequest and GSSENCRequest, each answered by one byte that is no message."""
DENIED: Final = b"N"

_REQUEST: Final = Struct("!II")
_HEAD: Final = Struct("!BI")
_LENGTH: Final = 4
"""Bytes of a message's length, which counts itself."""


class Notifications:
    """The messages that a server sends on one connection. `swallow` may change at any time.

    `swallowed` counts those that were left out. `readable` is False for good once messages can not be told apart.
    """

    def __init__(self) -> None:
        self.swallow = False
        self.swallowed = 0
        self.readable = True
        self._opening: bytes | None = b""
        self._denials = 0
        # Of the message under way: bytes to come, whether it is left out, and its head while that is not whole.
        self._rest = 0
        self._dropping = False
        self._head = b""
        self._head_passed = 0

    def asked(self, data: bytes) -> None:
        """What the client sends: its first requests tell whether single bytes are answered before any message."""
        if self._opening is None:
            return
        self._opening += data
        # No opening request is so long that its length begins with anything else.
        self.readable = self._opening.startswith(b"\0")
        while len(self._opening) >= _REQUEST.size:
            if _REQUEST.unpack_from(self._opening)[1] not in NEGOTIATION:
                self._opening = None
                return
            self._opening = self._opening[_REQUEST.size :]
            self._denials += 1

    def passing(self, data: bytes) -> bytes:
        """What of the server's bytes passes: all but the messages that are left out."""
        if not self.readable:
            return data
        if self._denials:
            return self._negotiated(data)
        if self.swallow or self._dropping or self._head:
            return self._filtered(data)
        return self._followed(data)

    def _negotiated(self, data: bytes) -> bytes:
        answer, rest = data[:1], data[1:]
        self._denials -= 1
        self.readable = answer == DENIED
        return answer + (self.passing(rest) if rest else b"")

    def _followed(self, data: bytes) -> bytes:
        """The fast way: nothing is left out, and no head is in two pieces."""
        at, size = self._rest, len(data)
        while at + _HEAD.size <= size:
            length = _HEAD.unpack_from(data, at)[1]
            if length < _LENGTH:
                self.readable = False
                return data
            at += 1 + length
        if at < size:
            self._head, self._head_passed, at = data[at:], size - at, size
        self._rest = at - size
        return data

    def _filtered(self, data: bytes) -> bytes:
        passing, at = bytearray(), 0
        while at < len(data) and self.readable:
            if not self._rest:
                at = self._begin(data, at, passing)
            upto = min(len(data), at + self._rest)
            self._rest -= upto - at
            if not self._dropping:
                passing += data[at:upto]
            elif not self._rest:
                self._dropping = False
            at = upto
        passing += data[at:]
        return bytes(passing)

    def _begin(self, data: bytes, at: int, passing: bytearray) -> int:
        """Complete the head of the next message, decide on it, and return where its bytes begin.

        A part of a head that has passed can not be taken back, so its message passes, too.
        """
        upto = at + _HEAD.size - len(self._head)
        self._head += data[at:upto]
        if len(self._head) < _HEAD.size:
            if not self.swallow:
                passing += self._head[self._head_passed :]
                self._head_passed = len(self._head)
            return len(data)
        kind, length = _HEAD.unpack(self._head)
        self.readable = length >= _LENGTH
        self._dropping = self.swallow and self.readable and kind == NOTIFICATION and not self._head_passed
        self.swallowed += self._dropping
        if not self._dropping:
            passing += self._head[self._head_passed :]
        self._rest = max(0, length - _LENGTH)
        self._head, self._head_passed = b"", 0
        return upto
