"""The routes of `/todos`: what they take, and what they say of themselves in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import Parameter

from eventstore.postgres import Database
from services.api.documents import TodoDocument, TodoPage, Written
from services.api.openapi import TextOperation, refusals
from services.api.operations import TodoOperations, document
from services.api.requests import read_text
from services.api.waiting import DEFAULT_WAIT_MS, MAX_WAIT_MS
from todo.read_model import list_todos

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


def todo_routes(todos: TodoOperations, database: Database) -> Router:
    """The routes of `/todos`."""

    @post(
        "/",
        operation_class=TextOperation,
        responses=refusals(400, 409, 413, 415, 422, 503),
        summary="Create a todo",
    )
    async def create_todo(request: Request[Any, Any, Any], key: Key = None) -> Response[Written]:
        """Answered after the commit. With a key used before for the same text: the first answer again."""
        return await todos.create(await read_text(request), key)

    @put(
        "/{stream:str}",
        operation_class=TextOperation,
        responses=refusals(400, 404, 409, 413, 415, 422, 503),
        summary="Replace the text",
    )
    async def update_todo(
        request: Request[Any, Any, Any], stream: Id, if_match: IfMatch = None, key: Key = None
    ) -> Response[Written]:
        """Answered after the commit. Without `If-Match` the last writer wins."""
        return await todos.update(stream, await read_text(request), if_match, key)

    @delete("/{stream:str}", responses=refusals(400, 404, 409, 503), summary="Delete a todo for good")
    async def delete_todo(stream: Id, if_match: IfMatch = None, key: Key = None) -> Response[None]:
        """Answered after the commit."""
        return await todos.delete(stream, if_match, key)

    @get("/{stream:str}", responses=refusals(400, 404, 503, 504), summary="Read a todo from the projection")
    async def read_todo(
        stream: Id, at_least_version: AtLeast = None, wait: Wait = DEFAULT_WAIT_MS
    ) -> Response[TodoDocument]:
        """The projection lags behind the writes; `at_least_version` waits for it."""
        if at_least_version is None:
            return await todos.read(stream)
        return await todos.read_at(stream, at_least=at_least_version, wait_ms=wait)

    @get("/", responses=refusals(400, 503), summary="A page of active todos")
    async def read_page(limit: Limit = 100, after: After = "") -> TodoPage:
        """In the order of the ids."""
        page = await list_todos(database, after=after or None, limit=limit)
        more = page[-1].id if len(page) == limit else None
        return TodoPage([document(todo) for todo in page], more)

    return Router(
        "/todos", route_handlers=[create_todo, update_todo, delete_todo, read_todo, read_page], tags=["todos"]
    )
