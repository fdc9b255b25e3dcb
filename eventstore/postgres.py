"""The event store on Postgres: the operations joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

from eventstore.append.general import Append
from eventstore.append.group_commit import GroupCommit
from eventstore.append.statements import Name
from eventstore.connection.database import Database
from eventstore.connection.wakeup import Notifier
from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, Position, StoredEvent
from eventstore.visibility.read import read_head, read_stream, read_window
from eventstore.visibility.safe_position import Visibility, safe_position

__all__ = ["Database", "PostgresEventStore"]


class PostgresEventStore:
    """`eventstore.contract.EventStore` on Postgres.

    `lanes` append statements are under way at most, each with all appends that came meanwhile. `notifier` wakes
    the projectors. `gate` is asked before each of them, and raises StoreUnsound to keep it out. Appends go by the
    statement that fits (`eventstore.append.statements`), but by none leaner than `leanest`.
    """

    def __init__(
        self,
        database: Database,
        *,
        lanes: int = 2,
        visibility: Visibility = "watermark",
        notifier: Notifier | None = None,
        gate: Callable[[], None] | None = None,
        leanest: Name = "single",
    ) -> None:
        self._database: Final = database
        self._visibility: Final = visibility
        self._group_commit: Final = GroupCommit(database, lanes=lanes, notifier=notifier, gate=gate, leanest=leanest)

    @property
    def statements(self) -> Mapping[Name, int]:
        """How often each append statement was sent."""
        return self._group_commit.statements

    async def start(self) -> Self:
        """Open the first connection. Raises StoreUnavailable."""
        await self._database.start()
        return self

    async def close(self) -> None:
        """Finish the queued appends. The database stays open for whoever owns it."""
        await self._group_commit.close()

    async def append(
        self,
        stream: str,
        events: Sequence[NewEvent],
        *,
        expected: ExpectedVersion,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Append all events or none, in one round trip shared with concurrent appends."""
        return await self._group_commit.append(Append.of(stream, events, expected, key))

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
        """Committed events of one stream with version > `after`, in version order."""
        return await read_stream(self._database, stream, after=after, limit=limit)

    async def read_log(self, *, after: Position, limit: int = 1000) -> list[StoredEvent]:
        """Events after a position, in the global order, up to where nothing can still commit."""
        upto = await safe_position(self._database, self._visibility)
        return await read_window(self._database, after=after, upto=upto, limit=limit)

    async def head(self) -> Position:
        """The highest committed position; lower ones may still commit."""
        return await read_head(self._database)
