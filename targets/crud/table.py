"""The table of todos: every call is one statement, which is its own transaction (autocommit).

No call waits for another but where both write the same todo; the later of the two then finds what the first has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import asyncpg

from eventstore.postgres import Database
from services.api.http.bodies import TodoDocument
from services.api.refusals import NotReady

CREATE: Final = "INSERT INTO todos (id, text) VALUES ($1, $2)"

UPDATE: Final = """
UPDATE todos SET text = $2, version = version + 1, updated_at = now()
 WHERE id = $1 AND NOT deleted AND ($3::integer IS NULL OR version = $3)
RETURNING version
"""

DELETE: Final = """
UPDATE todos SET deleted = true, version = version + 1, updated_at = now()
 WHERE id = $1 AND NOT deleted AND ($2::integer IS NULL OR version = $2)
RETURNING version
"""

COLUMNS: Final = "id, text, created_at, updated_at, version"
FIND: Final = f"SELECT {COLUMNS} FROM todos WHERE id = $1 AND NOT deleted"
VERSION: Final = "SELECT version FROM todos WHERE id = $1 AND NOT deleted"
PAGE: Final = f"""
SELECT {COLUMNS} FROM todos WHERE NOT deleted AND id COLLATE "POSIX" > $1 ORDER BY id COLLATE "POSIX" LIMIT $2
"""
COUNTS: Final = """
SELECT coalesce(sum(version), 0)::bigint AS writes, count(*) AS created, count(*) FILTER (WHERE deleted) AS deleted
  FROM todos
"""
THERE: Final = "SELECT FROM todos LIMIT 0"


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
        """Mark the row as deleted; returns the version."""
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
        """Exact, of this moment."""
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
        """One UPDATE, which marks the row."""
        return await self._version(DELETE, id, expected)

    async def find(self, id: str) -> TodoDocument | None:
        """One SELECT by the primary key."""
        return next((document(row) for row in await self.fetch(FIND, id)), None)

    async def version(self, id: str) -> int | None:
        """One SELECT by the primary key."""
        return await self._version(VERSION, id)

    async def page(self, after: str, limit: int) -> list[TodoDocument]:
        """One SELECT along the index of what is not deleted."""
        return [document(row) for row in await self.fetch(PAGE, after, limit)]

    async def counts(self) -> Counts:
        """One SELECT of the whole table: a write is a version, so their sum is the number of writes."""
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
