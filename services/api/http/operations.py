"""What a request for one todo does, and how it is answered.

Ids and headers come as the caller sent them; they are judged here.
"""

from __future__ import annotations

from typing import Final

from eventstore.events import Appended
from services.api.http.answers import Answer, etag
from services.api.http.bodies import TodoDocument, TodoPage, Written
from services.api.http.requests import expected_version, idempotency_key, todo_id
from services.api.reading.lookups import Find, Page
from services.api.reading.waiting import get_todo_at
from todo.commands import CreateTodo, DeleteTodo, UpdateTodo
from todo.errors import TodoNotFound
from todo.handler import TodoHandler, new_todo_id
from todo.read_models.todos import Todo


class TodoOperations:
    """Writes go to the event store and are answered after their commit; reads come from the projection."""

    def __init__(self, handler: TodoHandler, find: Find, page: Page) -> None:
        self._handler: Final = handler
        self._find: Final = find
        self._page: Final = page

    async def create(self, text: str, key: str | None) -> Answer:
        """Create a todo. Raises what commands, headers and the store refuse."""
        command, key = CreateTodo(text), idempotency_key(key)
        appended = await self._handler.handle(new_todo_id(key), command, key=key)
        location = (b"location", f"/todos/{appended.stream}".encode())
        return Answer(_written(appended), (location, etag(appended.version)), status_code=201)

    async def update(self, stream: str, text: str, if_match: str | None, key: str | None) -> Answer:
        """Replace the text. Raises what commands, headers and the store refuse."""
        command = UpdateTodo(text)
        id, expected, key = todo_id(stream), expected_version(if_match), idempotency_key(key)
        appended = await self._handler.handle(id, command, expected=expected, key=key)
        return Answer(_written(appended), (etag(appended.version),))

    async def delete(self, stream: str, if_match: str | None, key: str | None) -> Answer:
        """Delete the todo for good. Raises what headers and the store refuse."""
        id, expected, key = todo_id(stream), expected_version(if_match), idempotency_key(key)
        appended = await self._handler.handle(id, DeleteTodo(), expected=expected, key=key)
        return Answer(None, (etag(appended.version),), status_code=204)

    async def read(self, stream: str) -> Answer:
        """The todo as it is projected now. Raises TodoNotFound, StoreUnavailable."""
        return _shown(await self._find(todo_id(stream)))

    async def read_at(self, stream: str, *, at_least: int, wait_ms: int) -> Answer:
        """The todo once its version is `at_least`. Raises NotProjectedYet, TodoNotFound, StoreUnavailable."""
        return _shown(await get_todo_at(self._find, todo_id(stream), at_least=at_least, wait_ms=wait_ms))

    async def page(self, *, after: str | None, limit: int) -> TodoPage:
        """Active todos in the order of their ids, beginning behind `after`. Raises StoreUnavailable."""
        page = await self._page(after=after, limit=limit)
        more = page[-1].id if len(page) == limit else None
        return TodoPage([_document(todo) for todo in page], more)


def _document(todo: Todo) -> TodoDocument:
    """The todo as it is told."""
    return TodoDocument(todo.id, todo.text, todo.created_at, todo.updated_at, todo.version, todo.applied)


def _shown(todo: Todo | None) -> Answer:
    if todo is None or todo.deleted:
        raise TodoNotFound("there is no such todo in the projection" if todo is None else "the todo was deleted")
    return Answer(_document(todo), (etag(todo.version),))


def _written(appended: Appended) -> Written:
    return Written(appended.stream, appended.version, appended.position)
