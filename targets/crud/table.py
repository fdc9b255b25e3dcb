"""The table of todos: every call is one statement, which is its own transaction (autocommit).

The statement that writes a row counts itself, too: see `schema.sql`. No call waits for another but where both write the
same todo; the later of the two then finds what the first has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import asyncpg

from eventstore.postgres import Database
from services.api.http.bodies import TodoDocument
from services.api.refusals import NotReady

SLOTS: Final = 64
"""More than a pool has connections; those of one pool have process ids in a row, hence a slot each."""

COUNTED: Final = f"""
INSERT INTO todo_counts (slot, writes, created, deleted) SELECT pg_backend_pid() % {SLOTS}, {{counts}}
ON CONFLICT (slot) DO UPDATE
   SET writes = todo_counts.writes + excluded.writes, created = todo_counts.created + excluded.created,
       deleted = todo_counts.deleted + excluded.deleted
"""

CREATE: Final = f"""
WITH counted AS ({COUNTED.format(counts="1, 1, 0")})
INSERT INTO todos (id, text) VALUES ($1, $2)
"""

UPDATE: Final = f"""
WITH written AS (
  UPDATE todos SET text = $2, version = version + 1, updated_at = now()
   WHERE id = $1 AND ($3::integer IS NULL OR version = $3)
  RETURNING version
), counted AS ({COUNTED.format(counts="1, 0, 0 FROM written")})
SELECT version FROM written
"""

DELETE: Final = f"""
WITH written AS (
  DELETE FROM todos WHERE id = $1 AND ($2::integer IS NULL OR version = $2) RETURNING version + 1 AS version
), counted AS ({COUNTED.format(counts="1, 0, 1 FROM written")})
SELECT version FROM written
"""

COLUMNS: Final = "id, text, created_at, updated_at, version"
FIND: Final = f"SELECT {COLUMNS} FROM todos WHERE id = $1"
VERSION: Final = "SELECT version FROM todos WHERE id = $1"
PAGE: Final = f"SELECT {COLUMNS} FROM todos WHERE id > $1 ORDER BY id LIMIT $2"
COUNTS: Final = """
SELECT coalesce(sum(writes), 0)::bigint AS writes, coalesce(sum(created), 0)::bigint AS created,
       coalesce(sum(deleted), 0)::bigint AS deleted
  FROM todo_counts
"""
THERE: Final = "SELECT FROM todos, todo_counts LIMIT 0"


@dataclass(frozen=True, slots=True)
class Counts:
    """Writes that were committed, todos that were ever created, and those that were deleted. Exact, of one moment."""

    writes: int
    created: int
    deleted: int


class Todos(Protocol):
    """What the routes need of a table. Every call raises the errors of `eventstore.errors` and NotReady.

    A write has been committed when it returns; None: no todo of that id and, where it was asked for, that version.
    """

    async def create(self, id: str, text: str) -> None:
        """Insert, at version 1."""
        ...

    async def update(self, id: str, text: str, expected: int | None) -> int | None:
        """Replace the text; returns the version."""
        ...

    async def delete(self, id: str, expected: int | None) -> int | None:
        """Delete the row; returns the version that the deletion stands for."""
        ...

    async def find(self, id: str) -> TodoDocument | None:
        """The row."""
        ...

    async def version(self, id: str) -> int | None:
        """The version of the row."""
        ...

    async def page(self, after: str, limit: int) -> list[TodoDocument]:
        """At most `limit` rows with id > `after`, in the byte order of their ids."""
        ...

    async def counts(self) -> Counts:
        """Exact, at a cost that does not grow with the table."""
        ...

    async def check(self) -> None:
        """Nothing where the table can be used."""
        ...


class Table:
    """One statement a call."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def create(self, id: str, text: str) -> None:
        """One INSERT."""
        await self.fetch(CREATE, id, text)

    async def update(self, id: str, text: str, expected: int | None) -> int | None:
        """One UPDATE."""
        return await self._version(UPDATE, id, text, expected)

    async def delete(self, id: str, expected: int | None) -> int | None:
        """One DELETE."""
        return await self._version(DELETE, id, expected)

    async def find(self, id: str) -> TodoDocument | None:
        """One SELECT by the primary key."""
        return next((document(row) for row in await self.fetch(FIND, id)), None)

    async def version(self, id: str) -> int | None:
        """One SELECT by the primary key."""
        return await self._version(VERSION, id)

    async def page(self, after: str, limit: int) -> list[TodoDocument]:
        """One SELECT along the primary key."""
        return [document(row) for row in await self.fetch(PAGE, after, limit)]

    async def counts(self) -> Counts:
        """One SELECT of at most `SLOTS` rows."""
        (row,) = await self.fetch(COUNTS)
        return Counts(*row)

    async def check(self) -> None:
        """One SELECT of no rows."""
        await self.fetch(THERE)

    async def fetch(self, statement: str, *values: object) -> Sequence[asyncpg.Record]:
        """Run one statement in its own transaction. Raises NotReady where the tables are not there."""
        try:
            async with self._database.connection() as connection:
                rows: Sequence[asyncpg.Record] = await connection.fetch(statement, *values)
                return rows
        except asyncpg.UndefinedTableError as error:
            raise NotReady(f"{error}: run `python -m targets.crud.migrate`") from error

    async def _version(self, statement: str, *values: object) -> int | None:
        return next((row["version"] for row in await self.fetch(statement, *values)), None)


def document(row: Any) -> TodoDocument:
    """A row as it is told."""
    return TodoDocument(row["id"], row["text"], row["created_at"], row["updated_at"], row["version"])
