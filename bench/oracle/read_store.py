"""Read a whole store by SQL, a stream at a time: events, audit, heads and rows as four cursors in one order, merged.

Of one snapshot, given by the caller's transaction. Memory is bounded by the longest stream and a window of rows.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final

import asyncpg

from bench.oracle.activity import KINDS
from bench.oracle.refold import Batch, Event, Head, Row, Stream

WINDOW: Final = 5000

EVENTS: Final = "SELECT stream, version, position, type, data::text, recorded_at FROM events ORDER BY stream, version"
BATCHES: Final = "SELECT stream, from_version, to_version, projected_at FROM projection_audit ORDER BY stream, id"
HEADS: Final = "SELECT stream, version, projected FROM streams ORDER BY stream"
ROWS: Final = "SELECT id AS stream, text, created_at, updated_at, version, deleted FROM todos ORDER BY id"
ACTIVITY: Final = f"""
SELECT minute, {", ".join(f"sum({kind})::bigint AS {kind}" for kind in KINDS.values())} FROM activity GROUP BY minute
"""
CURSOR: Final = "SELECT coalesce(max(position), 0) FROM cursors"
TALLIES: Final = {
    "events": ("SELECT sum(events) FROM tallies", "SELECT count(*) FROM events"),
    "streams": ("SELECT sum(streams) FROM tallies", "SELECT count(*) FROM streams"),
    "projected": (
        "SELECT sum(projected) FROM tallies",
        "SELECT sum(to_version - from_version + 1) FROM projection_audit",
    ),
    "todos": ("SELECT sum(todos) FROM todo_tallies", "SELECT count(*) FROM todos"),
    "active todos": ("SELECT sum(active) FROM todo_tallies", "SELECT count(*) FROM todos WHERE NOT deleted"),
}


async def read_cursor(connection: asyncpg.Connection) -> int:
    """The position that the reader of the global order has passed."""
    return int(await connection.fetchval(CURSOR))


async def read_tallies(connection: asyncpg.Connection) -> dict[str, tuple[int, int]]:
    """Each counter by name: what it says, and what there is when it is counted."""
    return {
        name: (await connection.fetchval(kept) or 0, await connection.fetchval(counted) or 0)
        for name, (kept, counted) in TALLIES.items()
    }


async def read_activity(connection: asyncpg.Connection) -> dict[datetime, dict[str, int]]:
    """Read model `activity`, by minute."""
    rows = await connection.fetch(ACTIVITY)
    return {row["minute"]: {kind: row[kind] for kind in KINDS.values()} for row in rows}


class _Reader:
    """One cursor, read a stream at a time."""

    def __init__(self, rows: AsyncIterator[asyncpg.Record]) -> None:
        self._rows = rows
        self.next: asyncpg.Record | None = None

    async def advance(self) -> None:
        self.next = await anext(self._rows, None)

    async def take(self, name: str, make: Callable[[asyncpg.Record], Any]) -> list[Any]:
        """The rows of stream `name`, if it is next."""
        taken: list[Any] = []
        while self.next is not None and self.next["stream"] == name:
            taken.append(make(self.next))
            await self.advance()
        return taken


async def read_streams(connection: asyncpg.Connection) -> AsyncIterator[Stream]:
    """Every stream that any of the tables knows, in the order of names."""
    readers = [
        _Reader(aiter(connection.cursor(statement, prefetch=WINDOW))) for statement in (EVENTS, BATCHES, HEADS, ROWS)
    ]
    for reader in readers:
        await reader.advance()
    events, batches, heads, rows = readers
    while True:
        waiting = [reader.next["stream"] for reader in readers if reader.next is not None]
        if not waiting:
            return
        # Columns are in the byte order of UTF-8, which is the order of code points, which is Python's.
        name = min(waiting)
        stream = Stream(name, await events.take(name, _event), await batches.take(name, _batch))
        stream.head = next(iter(await heads.take(name, lambda r: Head(r["version"], r["projected"]))), None)
        stream.row = next(iter(await rows.take(name, _row)), None)
        yield stream


def _event(r: asyncpg.Record) -> Event:
    return Event(r["version"], r["position"], r["type"], json.loads(r["data"]), r["recorded_at"])


def _batch(r: asyncpg.Record) -> Batch:
    return Batch(r["from_version"], r["to_version"], r["projected_at"])


def _row(r: asyncpg.Record) -> Row:
    return Row(r["text"], r["created_at"], r["updated_at"], r["version"], r["deleted"])
