"""A visibility strategy: what writers of an event table add, and how a reader of it knows how far it may read.

All are tried over the product's own table `events`, with its keys and indexes. Each brings the statements that its own
schema takes, one statement that appends an event, in one round trip, and a follower: a reader with a cursor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

PAGE: Final = 1000
"""Events of one read."""

BARE: Final = ("DROP TRIGGER announce_writer ON events", "DROP TRIGGER check_position ON events")
"""What the product's own strategy added to the table is no part of another's."""

PLAIN: Final = "INSERT INTO events (stream, version, type, data) VALUES ($1, $2, $3, $4) RETURNING position"
"""An append by somebody who knows the table and no protocol, such as an import or a script."""

COLUMNS: Final = "position, stream, version, type, data"
NEXT: Final = f"SELECT {COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT {PAGE}"
UP_TO: Final = f"SELECT {COLUMNS} FROM events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT {PAGE}"


class Seen(NamedTuple):
    """An event that a follower was given."""

    position: int
    stream: str
    version: int


class Follower(Protocol):
    """A reader of the whole log that goes on from its cursor, which it keeps to itself."""

    async def read(self) -> Sequence[Seen]:
        """The next events in its order, none where there are none, or none that it may read yet."""


@dataclass(frozen=True)
class Strategy:
    """One strategy. `schema` is run on a fresh copy of the product's database.

    `append` takes stream, version, type and data, and returns the position. `follow` makes a follower from the
    beginning, on a connection of its own. A `control` loses events, and must be caught at it. `guarantee`, `price` and
    `failure` are a sentence each.
    """

    title: str
    append: str
    follow: Callable[[asyncpg.Connection], Awaitable[Follower]]
    guarantee: str
    price: str
    failure: str
    schema: Sequence[str] = BARE
    control: bool = False


class ByPosition:
    """Follower that reads on from the highest position seen: sound only where positions become visible in order."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._cursor = 0

    @classmethod
    async def on(cls, connection: asyncpg.Connection) -> ByPosition:
        """From the beginning of the log."""
        return cls(await connection.prepare(NEXT))

    async def read(self) -> Sequence[Seen]:
        """One statement."""
        found = events(await self._page.fetch(self._cursor))
        if found:
            self._cursor = found[-1].position
        return found


class UpToHead:
    """Follower that reads up to a head, which `head` calls safe, and asks for the next one once it is there."""

    def __init__(self, head: Callable[[], Awaitable[int]], page: Any) -> None:
        self._ask, self._page = head, page
        self._cursor = self._head = 0

    @classmethod
    async def on(cls, connection: asyncpg.Connection, head: Callable[[], Awaitable[int]]) -> UpToHead:
        """From the beginning of the log."""
        return cls(head, await connection.prepare(UP_TO))

    async def read(self) -> Sequence[Seen]:
        """Two statements, for the second must not see less than the first knew of; one while the head is ahead."""
        if self._cursor >= self._head:
            self._head = await self._ask()
        if self._cursor >= self._head:
            return ()
        found = events(await self._page.fetch(self._cursor, self._head))
        self._cursor = found[-1].position if len(found) == PAGE else self._head
        return found


def events(rows: Iterable[asyncpg.Record]) -> list[Seen]:
    """What a follower tells of the rows that it read."""
    return [Seen(row["position"], row["stream"], row["version"]) for row in rows]
