"""Deleted todos, packed without a loss: id and version of each, in 20 bytes where the id ends in 32 hex digits.

A deleted todo whose every write is acknowledged has no more evidence than that: its versions are 1 to the last, and no
read may show it. A digest would be no smaller, and could not be asked for by its id where a sweep is too dear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final

_HEX: Final = re.compile(r"(.*?)([0-9a-f]{32})", re.ASCII)
_PACKED: Final = Struct(">16sI")
_SPELLED: Final = Struct(">HI")
HIGHEST: Final = 2**32 - 1
"""Of versions."""
LONGEST: Final = 2**16 - 1
"""Bytes of an id."""


class Deleted:
    """Grows only. Iterates over ids and versions; ids with the beginning of the first come first."""

    def __init__(self) -> None:
        self._beginning: str | None = None
        self._packed = bytearray()
        self._spelled = bytearray()
        self._count = 0
        self.writes = 0

    def add(self, id: str, version: int) -> bool:
        """Take in a todo with this many acknowledged writes; False where the figures are too large to be packed."""
        spelled = id.encode("utf-8", "surrogatepass")
        if not 0 < version <= HIGHEST or len(spelled) > LONGEST:
            return False
        found = _HEX.fullmatch(id)
        if found and self._beginning in (None, found[1]):
            self._beginning = found[1]
            self._packed += _PACKED.pack(bytes.fromhex(found[2]), version)
        else:
            self._spelled += _SPELLED.pack(len(spelled), version) + spelled
        self._count += 1
        self.writes += version
        return True

    def __len__(self) -> int:
        """How many todos."""
        return self._count

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Each todo, one at a time."""
        for digits, version in _PACKED.iter_unpack(self._packed):
            yield f"{self._beginning}{digits.hex()}", version
        at = 0
        while at < len(self._spelled):
            length, version = _SPELLED.unpack_from(self._spelled, at)
            at += _SPELLED.size + length
            yield self._spelled[at - length : at].decode("utf-8", "surrogatepass"), version
