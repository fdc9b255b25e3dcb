"""The routes of `/todos`: lean handlers, with the request alone in the signature, and what OpenAPI says of them.

Parameters by signature cost Litestar a model and a validation a call, so what a load is made of reads path, query and
headers itself (`services.api.http.requests`) and documents them by the operation's class.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from litestar import HttpMethod, Request, Response, Router, delete, get, post, put, route
from litestar.params import Parameter
from msgspec import UNSET

from services.api.http.answers import Answer
from services.api.http.bodies import TodoDocument, TodoPage, Written
from services.api.http.openapi import CreateOperation, DeleteOperation, ReadOperation, UpdateOperation, refusals
from services.api.http.requests import ID, MAX_PAGE, Sent, awaited

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="todos on a page")]
After = Annotated[
    str,
    Parameter(pattern=f"^({ID})?$", max_length=37, description="the id before the page; `next` of the last"),
]


class Operations(Protocol):
    """What stands behind the routes: `services.api.http.operations`, or the reference that does nothing."""

    async def create(self, text: str, key: str | None) -> Answer:
        """Create a todo."""
        ...

    async def update(self, stream: str, text: str, if_match: str | None, key: str | None) -> Answer:
        """Replace the text."""
        ...

    async def delete(self, stream: str, if_match: str | None, key: str | None) -> Answer:
        """Delete the todo for good."""
        ...

    async def read(self, stream: str) -> Answer:
        """The todo as it is projected now."""
        ...

    async def read_at(self, stream: str, *, at_least: int, wait_ms: int) -> Answer:
        """The todo once its version is `at_least`."""
        ...

    async def page(self, *, after: str | None, limit: int) -> TodoPage:
        """Active todos in the order of their ids."""
        ...


def todo_routes(todos: Operations) -> Router:
    """The routes of `/todos`."""

    @post(
        "/",
        operation_class=CreateOperation,
        responses=refusals(409, 413, 415, 422),
        summary="Create a todo",
    )
    async def create_todo(request: Request[Any, Any, Any]) -> Response[Written]:
        """Answered after the commit. With a key used before for the same text: the first answer again."""
        sent = Sent(request)
        return await todos.create(await sent.text(), sent.idempotency_key)

    @put(
        "/{stream:str}",
        operation_class=UpdateOperation,
        responses=refusals(404, 409, 413, 415, 422),
        summary="Replace the text",
    )
    async def update_todo(request: Request[Any, Any, Any]) -> Response[Written]:
        """Answered after the commit. Without `If-Match` the last writer wins."""
        sent = Sent(request)
        text = await sent.text()
        return await todos.update(request.path_params["stream"], text, sent.if_match, sent.idempotency_key)

    @delete(
        "/{stream:str}",
        operation_class=DeleteOperation,
        responses=refusals(404, 409),
        summary="Delete a todo for good",
    )
    async def delete_todo(request: Request[Any, Any, Any]) -> Response[None]:
        """Answered after the commit."""
        sent = Sent(request)
        return await todos.delete(request.path_params["stream"], sent.if_match, sent.idempotency_key)

    @get(
        "/{stream:str}",
        operation_class=ReadOperation,
        responses=refusals(404, 504),
        summary="Read a todo from the projection",
    )
    async def read_todo(request: Request[Any, Any, Any]) -> Response[TodoDocument]:
        """The projection lags behind the writes; `at_least_version` waits for it."""
        stream = request.path_params["stream"]
        wanted = awaited(request)
        if wanted.at_least_version is UNSET:
            return await todos.read(stream)
        return await todos.read_at(stream, at_least=wanted.at_least_version, wait_ms=wanted.wait)

    # Litestar's own tells the methods of the first handler of a path alone.
    @route("/", http_method=HttpMethod.OPTIONS, include_in_schema=False)
    async def of_all() -> Response[None]:
        return Answer(None, ((b"allow", b"GET, OPTIONS, POST"),), status_code=204)

    @route("/{stream:str}", http_method=HttpMethod.OPTIONS, include_in_schema=False)
    async def of_one() -> Response[None]:
        return Answer(None, ((b"allow", b"DELETE, GET, OPTIONS, PUT"),), status_code=204)

    @get("/", responses=refusals(), summary="A page of active todos")
    async def read_page(limit: Limit = 100, after: After = "") -> TodoPage:
        """In the order of the ids."""
        return await todos.page(after=after or None, limit=limit)

    handlers = [of_all, of_one, create_todo, update_todo, delete_todo, read_todo, read_page]
    return Router("/todos", route_handlers=handlers, tags=["todos"])
