"""Hash slots: how a stream finds its shard. A stream's name makes its hash slot, a fixed table the slot's shard.

Nothing else knows it. There are many more hash slots than shards, so that a slot could be moved as a whole one day; the
table itself never changes once it was written into the stores (`eventstore.shards.place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from zlib import crc32

T = TypeVar("T")

HASH_SLOTS: Final = 256


def hash_slot(stream: str) -> int:
    """The CRC-32 of the name in UTF-8, modulo 256: the same in every process, version and language."""
    return crc32(stream.encode("utf-8", "surrogatepass")) % HASH_SLOTS


def table(shards: int) -> tuple[int, ...]:
    """The shard of each hash slot: as many to each, but for one more to some."""
    return tuple(slot % shards for slot in range(HASH_SLOTS))


@dataclass(frozen=True, slots=True)
class Place:
    """Which shard a store is: `number`, from 0 on, of so many."""

    number: int = 0
    shards: int = 1

    def __str__(self) -> str:
        return f"shard {self.number} of {self.shards}"


def places(shards: int) -> list[Place]:
    """Those of all shards, in their order."""
    return [Place(number, shards) for number in range(shards)]


class Shards(Generic[T]):
    """One thing for each shard, in their order, found by the name of a stream."""

    def __init__(self, each: Sequence[T]) -> None:
        self.each: Final = tuple(each)
        self._table: Final = table(len(self.each))

    def of(self, stream: str) -> T:
        """That of the shard in which the stream lies, if it is anywhere."""
        return self.each[self._table[hash_slot(stream)]]
