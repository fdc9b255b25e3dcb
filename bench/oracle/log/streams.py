"""What the fold remembers of each stream: its last version, a digest of its text, whether it is deleted, was it seen.

Packed, some 250 bytes a stream with its name; of an event nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

DIGEST: Final = 8
NO_TEXT: Final = bytes(DIGEST)
_PACKED: Final = Struct(f">QQ??{DIGEST}s")


class State(NamedTuple):
    """A stream as its events make it. `position` is that of its last event; `seen`: a page showed it so."""

    version: int = 0
    position: int = 0
    deleted: bool = False
    seen: bool = False
    digest: bytes = NO_TEXT


class Streams:
    """The states by name."""

    def __init__(self) -> None:
        self._states: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __getitem__(self, name: str) -> State | None:
        """The state, None where no event speaks of the stream."""
        packed = self._states.get(name)
        return None if packed is None else State(*_PACKED.unpack(packed))

    def __setitem__(self, name: str, state: State) -> None:
        self._states[name] = _PACKED.pack(*state)

    def __iter__(self) -> Iterator[tuple[str, State]]:
        for name, packed in self._states.items():
            yield name, State(*_PACKED.unpack(packed))


def digest(text: str) -> bytes:
    """Of a text, by which it is told from another."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
