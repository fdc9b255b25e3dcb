"""Standard output and error that never fail: a sign that can not be written costs the sign, not the work.

What the encoding does not have becomes `?`; what the other end does not take (a closed pipe, a full disk) is lost.
"""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import Any, Final

STANDARD: Final = (0, 1, 2)


class Lossy(io.FileIO):
    """A file descriptor that takes everything; what it could not pass on is gone. It is not closed with the object."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, data: Any, /) -> int:
        """Write, and say that all was written."""
        view = memoryview(data).cast("B")
        size, done = len(view), 0
        with suppress(OSError, ValueError):
            while done < size:
                count = super().write(view[done:])
                if count is None:
                    # Somebody else made it non-blocking, as Node does with the pipes of a CI job.
                    select.select([], [self], [])
                done += count or 0
        return size


def forgive() -> None:
    """Replace `sys.stdout` and `sys.stderr` by streams that never raise. Called once, first thing, by every command."""
    _fill_closed()
    # A stream that somebody has put in its place, as a test does, is left alone.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _lossy(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _lossy(sys.stderr, 2)


def _lossy(stream: Any, descriptor: int) -> io.TextIOWrapper:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with suppress(OSError, ValueError, AttributeError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(Lossy(descriptor)), encoding=encoding, errors="replace", line_buffering=True
    )


def _fill_closed() -> None:
    """A standard descriptor that is closed would be given to the next file that is opened, and printed into."""
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is given out, which is this one.
            os.open(os.devnull, os.O_RDWR)
