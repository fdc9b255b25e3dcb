"""Reference implementation of the contract: one process, one event loop, nothing durable.

No method awaits anything, so each is atomic. It is for tests of what stands on a store, and the yardstick that
the Postgres implementation is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from eventstore.append.validation import checked
from eventstore.errors import KeyReused, VersionConflict
from eventstore.events import START, Appended, ExpectedVersion, IdempotencyKey, NewEvent, Position, StoredEvent

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system clock, in UTC."""
    return datetime.now(UTC)


class MemoryEventStore:
    """An `EventStore` in dictionaries. `clock` stamps the events."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self.streams: dict[str, list[StoredEvent]] = {}
        self._log: list[StoredEvent] = []
        self._keys: dict[str, tuple[str, Appended]] = {}

    async def append(
        self,
        stream: str,
        events: Sequence[NewEvent],
        *,
        expected: ExpectedVersion,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Append all events to the stream, or none; see `EventStore.append`."""
        contents = checked(stream, events, key)
        if key is not None and key.key in self._keys:
            return self._replay(key)
        history = self.streams.get(stream, [])
        if len(history) != expected:
            raise VersionConflict(stream, expected, len(history))
        appended = self._write(stream, list(zip(events, contents, strict=True)))
        if key is not None:
            self._keys[key.key] = (key.fingerprint, appended)
        return appended

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
        """Events of one stream with version > `after`, in version order, at most `limit`."""
        return self.streams.get(stream, [])[after : after + limit]

    async def read_log(self, *, after: Position, limit: int = 1000) -> list[StoredEvent]:
        """Events with position > `after`, in the global order, at most `limit`. Nothing can commit before them."""
        return self._log[after : after + limit]

    async def head(self) -> Position:
        """The highest position, 0 in an empty store."""
        return self._log[-1].position if self._log else START

    def _replay(self, key: IdempotencyKey) -> Appended:
        fingerprint, first = self._keys[key.key]
        if fingerprint != key.fingerprint:
            raise KeyReused(key.key, first.stream)
        return replace(first, replayed=True)

    def _write(self, stream: str, events: list[tuple[NewEvent, str]]) -> Appended:
        now = self.clock()
        history = self.streams.setdefault(stream, [])
        for event, text in events:
            position = Position(len(self._log) + 1)
            stored = StoredEvent(position, stream, len(history) + 1, event.type, json.loads(text), now)
            history.append(stored)
            self._log.append(stored)
        return Appended(stream, len(history), Position(len(self._log)))
