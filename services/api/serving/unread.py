"""A request by its bytes alone: its path, and where it ends, for one that is refused before anybody reads it.

Only plain HTTP/1.1 whose head is whole is understood here, with as few steps as can be: a refusal must cost a small
share of what an answer costs. All else goes to the parser.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_END: Final = b"\r\n\r\n"
_CLOSES: Final = re.compile(rb"\nconnection:[^\r\n]*\b(?:close|upgrade)\b")
_LENGTH: Final = b"\ncontent-length:"


class Unread(NamedTuple):
    """`head` and `body` are in bytes; `body` is None where its end is not known, or the caller wants no further one."""

    path: bytes
    head: int
    body: int | None


def unread(data: bytes) -> Unread | None:
    """The request that begins the data; None where its head is not whole, or not plain HTTP/1.1."""
    end = data.find(_END)
    if end < 0:
        return None
    head = data[: end + 2]
    line = head[: head.find(b"\r\n")].split(b" ")
    if len(line) != 3 or line[2] != b"HTTP/1.1":
        return None
    return Unread(line[1].partition(b"?")[0], end + len(_END), _body(head.lower()))


def _body(head: bytes) -> int | None:
    """Bytes of the body, by a head in small letters."""
    if b"\ntransfer-encoding" in head or b"\nexpect" in head:
        return None
    if b"\nconnection:" in head and _CLOSES.search(head):
        return None
    at = head.find(_LENGTH)
    if at < 0:
        return 0
    begin = at + len(_LENGTH)
    length = head[begin : head.find(b"\r\n", begin)].strip(b" \t")
    return int(length) if length.isdigit() and len(length) < 10 and head.find(_LENGTH, begin) < 0 else None
