"""What a request for one todo does, and how it is answered: the same contract as with events, from a row."""

from __future__ import annotations

import asyncio
from typing import Final

from eventstore.errors import VersionConflict
from services.api.http.answers import Answer, etag
from services.api.http.bodies import TodoDocument, TodoPage
from services.api.http.requests import expected_version, todo_id
from services.api.refusals import NotProjectedYet
from targets.crud.table import Todos
from targets.documents import Written
from todo.commands import check_text
from todo.errors import TodoNotFound
from todo.handler import new_todo_id

FIRST: Final = 1
"""The version of a new row."""

AGAIN_S: Final = 0.01
"""Between two looks for a version that nobody has written yet."""


class RowOperations:
    """Writes are answered after their commit. A read sees each write that was answered before it began."""

    def __init__(self, todos: Todos) -> None:
        self._todos: Final = todos

    async def create(self, text: str, _key: str | None) -> Answer:
        """Insert a row. A key is not read: `idempotency` is not offered."""
        check_text(text)
        id = new_todo_id()
        await self._todos.create(id, text)
        return Answer(Written(id, FIRST), ((b"location", f"/todos/{id}".encode()), etag(FIRST)), status_code=201)

    async def update(self, stream: str, text: str, if_match: str | None, _key: str | None) -> Answer:
        """Replace the text. Without If-Match the last writer wins. Raises TodoNotFound, VersionConflict."""
        check_text(text)
        id, expected = todo_id(stream), expected_version(if_match)
        version = await self._todos.update(id, text, expected) or await self._refuse(id, expected)
        return Answer(Written(id, version), (etag(version),))

    async def delete(self, stream: str, if_match: str | None, _key: str | None) -> Answer:
        """Mark the row as deleted. Raises TodoNotFound, VersionConflict."""
        id, expected = todo_id(stream), expected_version(if_match)
        version = await self._todos.delete(id, expected) or await self._refuse(id, expected)
        return Answer(None, (etag(version),), status_code=204)

    async def read(self, stream: str) -> Answer:
        """The row. Raises TodoNotFound."""
        return _shown(await self._todos.find(todo_id(stream)))

    async def read_at(self, stream: str, *, at_least: int, wait_ms: int) -> Answer:
        """The row once its version is `at_least`: at once, unless nobody has written it yet.

        Raises NotProjectedYet when `wait_ms` have passed, TodoNotFound.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + wait_ms / 1000
        while True:
            found = await self._todos.find(todo_id(stream))
            if found is None or found.version >= at_least:
                return _shown(found)
            if (left := deadline - clock()) <= 0:
                raise NotProjectedYet(f"version {at_least} of {stream} was not written within {wait_ms} ms")
            await asyncio.sleep(min(AGAIN_S, left))

    async def page(self, *, after: str | None, limit: int) -> TodoPage:
        """Todos in the order of their ids, beginning behind `after`."""
        rows = await self._todos.page(after or "", limit)
        return TodoPage(rows, rows[-1].id if len(rows) == limit else None)

    async def _refuse(self, id: str, expected: int | None) -> int:
        """Why a write met no row: it is not there, or, which takes a second look, at another version."""
        actual = None if expected is None else await self._todos.version(id)
        if expected is None or actual is None:
            raise TodoNotFound("there is no such todo")
        raise VersionConflict(id, expected, actual)


def _shown(todo: TodoDocument | None) -> Answer:
    if todo is None:
        raise TodoNotFound("there is no such todo")
    return Answer(todo, (etag(todo.version),))
