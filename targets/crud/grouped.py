"""Group commit over the plain table: concurrent requests share one statement, and with it one commit.

What tidemark does for appends and lookups, done for rows: while two statements are under way, further requests queue,
and the next statement takes up to 256 of them. A statement that fails fails for all who share it. At most one
write of a todo is under way in a process, so none meets another in one statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from services.api.http.bodies import TodoDocument
from services.api.reading.batch_loader import BatchLoader
from targets.crud.table import COLUMNS, Counts, Table, document

WRITE: Final = """
WITH created AS (
  INSERT INTO todos (id, text) SELECT * FROM unnest($1::text[], $2::text[]) RETURNING id, version
), changed AS (
  UPDATE todos t
     SET text = coalesce(w.text, t.text), version = t.version + 1, updated_at = now(), deleted = w.text IS NULL
    FROM unnest($3::text[], $4::text[], $5::integer[]) AS w (id, text, expected)
   WHERE t.id = w.id AND NOT t.deleted AND (w.expected IS NULL OR t.version = w.expected)
  RETURNING t.id, t.version
)
TABLE created UNION ALL TABLE changed
"""

FIND: Final = f"SELECT {COLUMNS} FROM todos WHERE id = ANY ($1::text[]) AND NOT deleted"


@dataclass(frozen=True, eq=False, slots=True)
class Write:
    """One request: a create (`expected` is not asked), an update, or a deletion (no text)."""

    id: str
    text: str | None
    expected: int | None
    new: bool = False


class GroupedTable:
    """The table, with shared statements for writes and for reads of one row."""

    def __init__(self, table: Table) -> None:
        self._table: Final = table
        self._write: Final[BatchLoader[Write, int]] = BatchLoader(self._commit)
        self._find: Final[BatchLoader[str, TodoDocument]] = BatchLoader(self._look_up)
        self._turns: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()

    async def create(self, id: str, text: str) -> None:
        """Insert, beside what others write."""
        await self._write(Write(id, text, None, new=True))

    async def update(self, id: str, text: str, expected: int | None) -> int | None:
        """Replace the text, beside what others write."""
        return await self._alone(Write(id, text, expected))

    async def delete(self, id: str, expected: int | None) -> int | None:
        """Mark the row as deleted, beside what others write."""
        return await self._alone(Write(id, None, expected))

    async def find(self, id: str) -> TodoDocument | None:
        """Read the row, beside what others read."""
        return await self._find(id)

    async def version(self, id: str) -> int | None:
        """As the table does it."""
        return await self._table.version(id)

    async def page(self, after: str, limit: int) -> list[TodoDocument]:
        """As the table does it."""
        return await self._table.page(after, limit)

    async def counts(self) -> Counts:
        """As the table does it."""
        return await self._table.counts()

    async def check(self) -> None:
        """As the table does it."""
        await self._table.check()

    async def _alone(self, write: Write) -> int | None:
        """As the only write of its todo. Shielded: a caller that goes away must not let the next one in beside it."""
        return await asyncio.shield(asyncio.create_task(self._in_turn(write)))

    async def _in_turn(self, write: Write) -> int | None:
        async with self._turns.setdefault(write.id, asyncio.Lock()):
            return await self._write(write)

    async def _commit(self, writes: Sequence[Write]) -> dict[Write, int]:
        new = [write for write in writes if write.new]
        changes = [write for write in writes if not write.new]
        rows = await self._table.fetch(
            WRITE,
            *([write.id for write in new], [write.text for write in new]),
            *([write.id for write in changes], [write.text for write in changes]),
            [write.expected for write in changes],
        )
        versions = {row["id"]: row["version"] for row in rows}
        return {write: versions[write.id] for write in writes if write.id in versions}

    async def _look_up(self, ids: Sequence[str]) -> dict[str, TodoDocument]:
        return {row["id"]: document(row) for row in await self._table.fetch(FIND, list(ids))}
