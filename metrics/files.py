"""Files written whole: beside, then moved into place; and room on a disk, taken before it is needed.

A reader sees the old file or the whole new one. Raises OSError, and leaves nothing half done.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text file, in UTF-8."""
    scratch = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise


class Reserve:
    """Room on the disk of a folder for what is written at the end of a run, given back just before."""

    def __init__(self, folder: Path, size: int) -> None:
        """Take the room. Raises OSError where the disk does not have it."""
        self._path = folder / f".room-{secrets.token_hex(4)}"
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Give the room back; again and again is harmless."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
