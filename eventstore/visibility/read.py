"""Read events back: one stream, a window of the log, the head."""

from __future__ import annotations

from typing import Final

import asyncpg
from sqlalchemy import BigInteger, Integer, bindparam, func, select

from eventstore.connection.database import Database, Statement
from eventstore.events import Position, StoredEvent
from eventstore.schema import Name, events

_COLUMNS: Final = (
    events.c.position,
    events.c.stream,
    events.c.version,
    events.c.type,
    events.c.data,
    events.c.recorded_at,
)

STREAM: Final = Statement(
    select(*_COLUMNS)
    .where(events.c.stream == bindparam("stream", type_=Name), events.c.version > bindparam("after", type_=Integer))
    .order_by(events.c.version)
    .limit(bindparam("limit", type_=Integer))
)

LOG: Final = Statement(
    select(*_COLUMNS)
    .where(
        events.c.position > bindparam("after", type_=BigInteger),
        events.c.position <= bindparam("upto", type_=BigInteger),
    )
    .order_by(events.c.position)
    .limit(bindparam("limit", type_=Integer))
)

HEAD: Final = Statement(select(func.coalesce(func.max(events.c.position), 0).label("position")))


async def read_stream(database: Database, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
    """Committed events of one stream with version > `after`, in version order."""
    return [_event(row) for row in await database.fetch(STREAM, stream=stream, after=after, limit=limit)]


async def read_window(database: Database, *, after: Position, upto: Position, limit: int) -> list[StoredEvent]:
    """Visible events with `after` < position <= `upto`, in the global order.

    Complete only when `upto` comes from `eventstore.visibility.safe_position` before this call.
    """
    return [_event(row) for row in await database.fetch(LOG, after=after, upto=upto, limit=limit)]


async def read_head(database: Database) -> Position:
    """The highest committed position, 0 in an empty store. Lower ones may still commit."""
    (row,) = await database.fetch(HEAD)
    return Position(row["position"])


def _event(row: asyncpg.Record) -> StoredEvent:
    return StoredEvent(
        Position(row["position"]),
        row["stream"],
        row["version"],
        row["type"],
        row["data"],
        row["recorded_at"],
    )
