"""A request by its bytes alone: its path, and where it ends, for one that is refused before anybody reads it.

Only plain HTTP/1.1 whose head is whole is understood here, with as few steps as can be: a refusal must cost a small
share of what an answer costs. All else goes to the parser. A caller's headers are mostly those of its request before,
so what was found in some is remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_CLOSES: Final = re.compile(rb"\nconnection:[^\r\n]*\b(?:close|upgrade)\b")
_LENGTH: Final = b"\ncontent-length:"

SHORT: Final = 2048
"""Bytes of headers that are remembered."""

Unread = tuple[bytes, int, int | None]
"""Path, and bytes of head and body; the body is None where its end is not known, or no further request may follow."""

NOT_PLAIN: Final[Unread] = (b"", 0, None)


def unread(data: bytes) -> Unread:
    """The request that begins the data; `NOT_PLAIN` where its head is not whole, or not plain HTTP/1.1."""
    line_end, end = data.find(b"\r\n"), data.find(b"\r\n\r\n")
    line = data[:line_end].split(b" ")
    if end < 0 or len(line) != 3 or line[2] != b"HTTP/1.1":
        return NOT_PLAIN
    headers = data[line_end + 1 : end + 2]
    return line[1].partition(b"?")[0], end + 4, _known(headers) if len(headers) <= SHORT else _body(headers)


def _body(headers: bytes) -> int | None:
    """Bytes of the body that belongs to the headers, each of which stands after a line feed."""
    small = headers.lower()
    if b"\ntransfer-encoding" in small or b"\nexpect" in small or _CLOSES.search(small):
        return None
    at = small.find(_LENGTH)
    if at < 0:
        return 0
    begin = at + len(_LENGTH)
    length = small[begin : small.find(b"\r\n", begin)].strip(b" \t")
    return int(length) if length.isdigit() and len(length) < 10 and small.find(_LENGTH, begin) < 0 else None


_known: Final = lru_cache(256)(_body)
