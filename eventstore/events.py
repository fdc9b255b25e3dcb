"""The values of an event store: what is appended, what is stored, and where it stands.

A *stream* is named by text; its events carry gapless *versions* 1, 2, 3 … A *position* orders events
of all streams; positions grow, but may have gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NewType

Position = NewType("Position", int)
"""Place in the global order, from 1; gaps are possible."""

START: Final = Position(0)
"""Before the first event."""

ExpectedVersion = NewType("ExpectedVersion", int)
"""The version at which the caller saw the stream; `NO_STREAM` when it must not exist yet."""

NO_STREAM: Final = ExpectedVersion(0)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append. `data` must be JSON, within the bounds of `eventstore.append.validation`.

    Numbers keep their JSON value: a float that is a whole number may come back as an int.
    """

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A committed event. `recorded_at` is the database's clock when the event was written."""

    position: Position
    stream: str
    version: int
    type: str
    data: Mapping[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's name for one append. `fingerprint` identifies the content: same key, same fingerprint, one append."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Appended:
    """A committed append: the stream's new head, the position of its last event, whether it is a replay."""

    stream: str
    version: int
    position: Position
    replayed: bool = False
