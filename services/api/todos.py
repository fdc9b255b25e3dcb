"""The todos over HTTP: writes go to the event store, reads come from the projection."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from litestar import Request, Router, delete, get, post, put
from litestar.params import Parameter

from eventstore.events import Appended
from eventstore.postgres import Database
from services.api.answers import Answer
from services.api.documents import TodoDocument, TodoPage, Written
from services.api.openapi import TextOperation, refusals
from services.api.requests import etag, expected_version, idempotency_key, read_text, todo_id
from services.api.together import Together
from services.api.waiting import DEFAULT_WAIT_MS, MAX_WAIT_MS, get_todo_at
from todo.commands import CreateTodo, DeleteTodo, UpdateTodo
from todo.errors import TodoNotFound
from todo.handler import TodoHandler, new_todo_id
from todo.read_model import Todo, get_todos, list_todos

Id = Annotated[str, Parameter(description="`todo-` and 32 hexadecimal digits")]
IfMatch = Annotated[str | None, Parameter(header="If-Match", description='the version expected, such as `"3"`')]
Key = Annotated[
    str | None,
    Parameter(
        header="Idempotency-Key", description="1 to 200 printable ASCII characters; a repetition is answered alike"
    ),
]
AtLeast = Annotated[int | None, Parameter(ge=1, le=999_999_999, description="wait until this version is projected")]
Wait = Annotated[int, Parameter(ge=0, le=MAX_WAIT_MS, description="how long at most, in milliseconds")]
Limit = Annotated[int, Parameter(ge=1, le=1000, description="todos on a page")]
After = Annotated[
    str,
    Parameter(
        pattern="^(todo-[0-9a-f]{32})?$", max_length=37, description="the id before the page; `next` of the last"
    ),
]


def todo_routes(handler: TodoHandler, database: Database) -> Router:
    """The routes of `/todos`."""
    find: Together[str, Todo] = Together(partial(get_todos, database))

    @post(
        "/",
        operation_class=TextOperation,
        responses=refusals(400, 409, 413, 415, 422, 503),
        summary="Create a todo",
    )
    async def create_todo(request: Request[Any, Any, Any], key: Key = None) -> Answer[Written]:
        """Answered after the commit. With a key used before for the same text: the first answer again."""
        command = CreateTodo(await read_text(request))
        appended = await handler.handle(new_todo_id(), command, key=idempotency_key(key))
        location = (b"location", f"/todos/{appended.stream}".encode())
        return Answer(_written(appended), (location, etag(appended.version)), status_code=201)

    @put(
        "/{stream:str}",
        operation_class=TextOperation,
        responses=refusals(400, 404, 409, 413, 415, 422, 503),
        summary="Replace the text",
    )
    async def update_todo(
        request: Request[Any, Any, Any], stream: Id, if_match: IfMatch = None, key: Key = None
    ) -> Answer[Written]:
        """Answered after the commit. Without `If-Match` the last writer wins."""
        command = UpdateTodo(await read_text(request))
        id, expected, key = todo_id(stream), expected_version(if_match), idempotency_key(key)
        appended = await handler.handle(id, command, expected=expected, key=key)
        return Answer(_written(appended), (etag(appended.version),))

    @delete("/{stream:str}", responses=refusals(400, 404, 409, 503), summary="Delete a todo for good")
    async def delete_todo(stream: Id, if_match: IfMatch = None, key: Key = None) -> Answer[None]:
        """Answered after the commit."""
        id, expected, key = todo_id(stream), expected_version(if_match), idempotency_key(key)
        appended = await handler.handle(id, DeleteTodo(), expected=expected, key=key)
        return Answer(None, (etag(appended.version),), status_code=204)

    @get("/{stream:str}", responses=refusals(400, 404, 503, 504), summary="Read a todo from the projection")
    async def read_todo(
        stream: Id, at_least_version: AtLeast = None, wait: Wait = DEFAULT_WAIT_MS
    ) -> Answer[TodoDocument]:
        """The projection lags behind the writes; `at_least_version` waits for it."""
        id = todo_id(stream)
        if at_least_version is None:
            todo = await find(id)
        else:
            todo = await get_todo_at(find, id, at_least=at_least_version, wait_ms=wait)
        if todo is None or todo.deleted:
            raise TodoNotFound("there is no such todo in the projection" if todo is None else "the todo was deleted")
        return Answer(_document(todo), (etag(todo.version),))

    @get("/", responses=refusals(400, 503), summary="A page of active todos")
    async def read_page(limit: Limit = 100, after: After = "") -> TodoPage:
        """In the order of the ids."""
        todos = await list_todos(database, after=after or None, limit=limit)
        more = todos[-1].id if len(todos) == limit else None
        return TodoPage([_document(todo) for todo in todos], more)

    return Router(
        "/todos", route_handlers=[create_todo, update_todo, delete_todo, read_todo, read_page], tags=["todos"]
    )


def _written(appended: Appended) -> Written:
    return Written(appended.stream, appended.version, appended.position)


def _document(todo: Todo) -> TodoDocument:
    return TodoDocument(todo.id, todo.text, todo.created_at, todo.updated_at, todo.version)
