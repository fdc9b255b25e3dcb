"""One stream as a row of columns: arrays in Postgres's binary form, and how they are read. Pure.

An array has a head of 20 bytes, then 4 bytes of length before each element. Moments are microseconds since 2000.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from bench.oracle.refold import Batch, Event, Head, Row, Stream

HEAD: Final = 20
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
LENGTHS: Final = 256
"""How many lengths of arrays are prepared for: those that come again and again."""


class Columns(NamedTuple):
    """All that the store and the projection say of one stream; None where they say nothing.

    Events are in the order of versions, batches in that of time.
    """

    stream: str
    version: int | None
    projected: int | None
    versions: bytes | None
    types: bytes | None
    data: str | None
    recorded: bytes | None
    firsts: bytes | None
    lasts: bytes | None
    projected_at: bytes | None
    text: str | None
    created_at: bytes | None
    updated_at: bytes | None
    row_version: int | None
    deleted: bool | None
    applied: int | None
    positions: bytes | None


def has_null(array: bytes) -> bool:
    """Whether an element is NULL: then the array can not be read as elements of one width."""
    return array[4:8] != b"\0\0\0\0"


def length(array: bytes | None) -> int:
    """How many elements there are, NULL or not."""
    return int(unpack_from(">i", array, 12)[0]) if array else 0


def with_null(columns: Columns) -> list[str]:
    """The columns of events and audit, by the names of the tables, in which the stream has a NULL."""
    arrays = {
        "events.version": columns.versions,
        "events.type": columns.types,
        "events.recorded_at": columns.recorded,
        "events.position": columns.positions,
        "projection_audit.from_version": columns.firsts,
        "projection_audit.to_version": columns.lasts,
        "projection_audit.projected_at": columns.projected_at,
    }
    return [name for name, array in arrays.items() if array and has_null(array)]


def integers(array: bytes) -> tuple[int, ...]:
    """The elements of an array of int4."""
    return _reader("i", (len(array) - HEAD) // 8)(array, HEAD)


def longs(array: bytes) -> tuple[int, ...]:
    """The elements of an array of int8, or of moments."""
    return _reader("q", (len(array) - HEAD) // 12)(array, HEAD)


def to_stream(columns: Columns) -> Stream:
    """The same, event by event."""
    stream = Stream(columns.stream)
    if columns.version is not None and columns.projected is not None:
        stream.head = Head(columns.version, columns.projected)
    if columns.versions and columns.positions and columns.types and columns.data and columns.recorded:
        moments = map(moment, longs(columns.recorded))
        told = zip(integers(columns.versions), longs(columns.positions), _texts(columns.types), strict=True)
        stream.events = [
            Event(*event, data, at) for event, data, at in zip(told, json.loads(columns.data), moments, strict=True)
        ]
    if columns.firsts and columns.lasts and columns.projected_at:
        moments = map(moment, longs(columns.projected_at))
        stream.batches = [
            Batch(*batch) for batch in zip(integers(columns.firsts), integers(columns.lasts), moments, strict=True)
        ]
    stream.row = _row(columns)
    stream.applied = columns.applied if stream.row else None
    return stream


def moment(microseconds: int) -> datetime:
    """The moment; one that no datetime can tell is the first or the last that it can."""
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return (datetime.max if microseconds > 0 else datetime.min).replace(tzinfo=UTC)


def _row(columns: Columns) -> Row | None:
    *_, text, created, updated, version, deleted, applied, _ = columns
    if text is None or created is None or updated is None or version is None or deleted is None or applied is None:
        return None
    return Row(text, moment(*unpack_from(">q", created)), moment(*unpack_from(">q", updated)), version, deleted)


def _texts(array: bytes) -> Iterator[str]:
    place = HEAD
    while place < len(array):
        (length,) = unpack_from(">i", array, place)
        place += 4 + length
        yield array[place - length : place].decode()


@lru_cache(LENGTHS)
def _reader(code: str, length: int) -> Callable[[bytes, int], tuple[int, ...]]:
    return Struct(">" + f"4x{code}" * length).unpack_from
