"""Screening: acquits a stream that is plainly sound, so that only the others are folded event by event. Pure.

It acquits and never accuses: no column has a NULL, versions 1 to n without a hole, the audit goes through them once
and in order, head and checkpoint are at n, the types are a todo's life, and the row is what the events make. Whatever
is not just so is left to `bench.oracle.refold`, which alone counts and names faults. It shares no code with the
projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import le
from struct import pack
from typing import Any, Final, NamedTuple

import msgspec

from bench.oracle.columns import HEAD, LENGTHS, has_null, integers, longs

INT4: Final = 23
TEXT: Final = 25


class Plain(NamedTuple):
    """A stream that is acquitted: when its events were recorded; where its batches end, and when; is it deleted."""

    recorded: Sequence[int]
    lasts: Sequence[int]
    projected_at: Sequence[int]
    deleted: bool

    def delays(self) -> list[int]:
        """Microseconds from each event to its effect."""
        if len(self.lasts) == 1:
            at = self.projected_at[0]
            return [at - recorded for recorded in self.recorded]
        delays, first = [], 0
        for last, at in zip(self.lasts, self.projected_at, strict=True):
            delays += [at - recorded for recorded in self.recorded[first:last]]
            first = last
        return delays


class _Data(msgspec.Struct):
    text: str | msgspec.UnsetType = msgspec.UNSET


_decode: Final = msgspec.json.Decoder(list[_Data]).decode


def acquit(columns: Iterable[Any]) -> Plain | None:
    """A stream that is plainly sound, told by the fields of `Columns`; None says only that it must be looked at."""
    _, version, projected, versions, types, data, recorded, firsts, lasts, projected_at, *row = columns
    if versions is None or firsts is None or not version == projected == (len(versions) - HEAD) // 8:
        return None
    if any(map(has_null, (recorded, firsts, lasts, projected_at, row[-1]))):
        return None
    deleted = types == _ended(version)
    if not (versions == _upto(version) and (deleted or types == _alive(version))):
        return None
    ends = _ends(firsts, lasts, version)
    if ends is None or row[:6] != _row(version, data, recorded, deleted):
        return None
    return Plain(longs(recorded), ends, longs(projected_at), deleted)


def _row(version: int, data: str, recorded: bytes, deleted: bool) -> list[Any] | None:
    """Text, moments, version, end and effects as the events make them; None where a text is missing, or is none."""
    try:
        texts = [event.text for event in _decode(data)]
    except msgspec.DecodeError:
        return None
    if len(texts) != version:
        return None
    if deleted:
        texts.pop()
    if msgspec.UNSET in texts:
        return None
    return [texts[-1], recorded[HEAD + 4 : HEAD + 12], recorded[-8:], version, deleted, version]


def _ends(firsts: bytes, lasts: bytes, version: int) -> Sequence[int] | None:
    """Where the batches end, if each begins right behind the one before it, and they go from 1 to the version."""
    begins, ends = integers(firsts), integers(lasts)
    if begins[0] != 1 or ends[-1] != version or not all(map(le, begins, ends)):
        return None
    return ends if len(ends) == 1 or [begin - 1 for begin in begins[1:]] == list(ends[:-1]) else None


@lru_cache(LENGTHS)
def _upto(version: int) -> bytes:
    """The array of the versions from 1 on."""
    return _array(INT4, [pack(">i", each) for each in range(1, version + 1)])


@lru_cache(LENGTHS)
def _alive(version: int) -> bytes:
    """The types of a todo that was not deleted."""
    return _array(TEXT, [b"TodoCreated", *[b"TodoUpdated"] * (version - 1)])


@lru_cache(LENGTHS)
def _ended(version: int) -> bytes:
    """The types of a todo that was deleted. It was created first, so there is none at version 1."""
    return _array(TEXT, [b"TodoCreated", *[b"TodoUpdated"] * (version - 2), b"TodoDeleted"]) if version > 1 else b""


def _array(kind: int, elements: list[bytes]) -> bytes:
    """As Postgres sends it: one dimension, no NULL, the type, the length, the first index."""
    told = b"".join(pack(">i", len(element)) + element for element in elements)
    return pack(">5i", 1, 0, kind, len(elements), 1) + told
