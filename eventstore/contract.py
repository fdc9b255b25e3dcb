"""What an event store guarantees. Every implementation passes one suite, `tests/contract`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, Position, StoredEvent


class StreamStore(Protocol):
    """Appends to streams, and reads them."""

    async def append(
        self,
        stream: str,
        events: Sequence[NewEvent],
        *,
        expected: ExpectedVersion,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Append all events to the stream, or none.

        Returns after the commit. With a key that was used before for the same content, returns the first
        result and writes nothing, whatever stream and version are named now.

        Raises, with nothing written: VersionConflict; KeyReused; InvalidEvent for no events at all, or for what
        `eventstore.append.validation` does not allow, which is checked first. Raises StoreUnavailable when the outcome
        is indeterminate.
        """
        ...

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
        """Committed events of one stream with version > `after`, in version order, at most `limit`."""
        ...


class EventStore(StreamStore, Protocol):
    """A whole store: its streams, and the log that they are in."""

    async def read_log(self, *, after: Position, limit: int = 1000) -> list[StoredEvent]:
        """Events with position > `after`, in the global order, at most `limit`.

        Returns only positions before which nothing can still commit, so a reader that goes on from the last
        one never misses an event.
        """
        ...

    async def head(self) -> Position:
        """The highest committed position, 0 in an empty store. Lower positions may still commit."""
        ...
