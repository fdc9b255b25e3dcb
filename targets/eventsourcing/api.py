"""The API of the Todo service on `eventsourcing`: commands to the application, reads from its materialised view.

The library is synchronous, so each call of it runs in Starlette's thread pool.
"""

from __future__ import annotations

import copy
import os
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import uvicorn
from domain import InvalidText, TodoDeleted, Todos, environment
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import IntegrityError, InterfaceError, InternalError, OperationalError
from http_bodies import MAX_LIMIT, Refused, number, problem, text_of
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stats import Stats
from uvicorn.config import LOGGING_CONFIG
from view import Row, open_view

MAX_POSITION: Final = 2**63 - 1


class Api:
    """The routes, over one application and one view."""

    def __init__(self) -> None:
        self._todos = Todos(environment())
        self._view = open_view()
        self._stats = Stats(self._todos, self._view)

    def close(self) -> None:
        """Close the connections."""
        self._todos.close()
        self._view.datastore.close()

    async def create(self, request: Request) -> Response:
        """Answered after the commit."""
        todo = await run_in_threadpool(self._todos.create, await text_of(request))
        written = {"stream": str(todo.id), "version": todo.version}
        return JSONResponse(written, 201, {"location": f"/todos/{todo.id}", "etag": f'"{todo.version}"'})

    async def update(self, request: Request) -> Response:
        """Answered after the commit; of two writers at once both take effect, one after the other."""
        text, id = await text_of(request), _id(request)
        version = await run_in_threadpool(self._todos.update, id, text)
        return JSONResponse({"stream": str(id), "version": version}, headers={"etag": f'"{version}"'})

    async def delete(self, request: Request) -> Response:
        """Answered after the commit."""
        version = await run_in_threadpool(self._todos.delete, _id(request))
        return Response(status_code=204, headers={"etag": f'"{version}"'})

    async def read(self, request: Request) -> Response:
        """The todo as it is projected now."""
        row = await run_in_threadpool(self._view.get, request.path_params["stream"])
        if row is None or row.deleted:
            raise Refused(404, "there is no such todo in the projection")
        return JSONResponse(_document(row), headers={"etag": f'"{row.version}"'})

    async def page(self, request: Request) -> Response:
        """Active todos by id."""
        limit = number(request, "limit", 100, 1, MAX_LIMIT)
        rows = await run_in_threadpool(self._view.page, request.query_params.get("after", ""), limit)
        return JSONResponse({"todos": list(map(_document, rows)), "next": rows[-1].id if len(rows) == limit else None})

    async def events(self, request: Request) -> Response:
        """The application sequence, as the recorder's notifications."""
        after = number(request, "after", 0, 0, MAX_POSITION)
        limit = number(request, "limit", 100, 1, MAX_LIMIT)
        found = await run_in_threadpool(self._select, after, limit)
        return JSONResponse({"events": found, "next": found[-1]["position"] if len(found) == limit else None})

    def _select(self, after: int, limit: int) -> list[dict[str, Any]]:
        notifications = self._todos.recorder.select_notifications(after, limit, inclusive_of_start=False)
        return [_event(one.id, self._todos.mapper.to_domain_event(one)) for one in notifications]

    async def stats(self, request: Request) -> Response:
        """Counts, no verdict."""
        return JSONResponse(await run_in_threadpool(self._stats.read))

    async def ready(self, request: Request) -> Response:
        """200 once the store answers."""
        await run_in_threadpool(self._todos.recorder.max_notification_id)
        return JSONResponse({"ready": True})


def _id(request: Request) -> UUID:
    given = request.path_params["stream"]
    try:
        id = UUID(given)
    except ValueError:
        raise Refused(404, "there is no such todo") from None
    if str(id) != given:
        raise Refused(404, "there is no such todo")
    return id


def _document(row: Row) -> dict[str, Any]:
    return {"id": row.id, "text": row.text, "version": row.version, "applied": row.applied}


def _event(position: int, event: Any) -> dict[str, Any]:
    text = getattr(event, "text", None)
    return {
        "position": position,
        "stream": str(event.originator_id),
        "version": event.originator_version,
        "type": f"Todo{type(event).__name__}",
        "data": {} if text is None else {"text": text},
        "recordedAt": event.timestamp.isoformat(),
    }


def application() -> Starlette:
    """The ASGI application. It opens the store when it starts and closes it when it ends."""
    api = Api()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        yield
        api.close()

    routes = [
        Route("/todos", api.create, methods=["POST"]),
        Route("/todos", api.page, methods=["GET"]),
        Route("/todos/{stream}", api.read, methods=["GET"]),
        Route("/todos/{stream}", api.update, methods=["PUT"]),
        Route("/todos/{stream}", api.delete, methods=["DELETE"]),
        Route("/events", api.events, methods=["GET"]),
        Route("/stats", api.stats, methods=["GET"]),
        Route("/readyz", api.ready, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=_handlers(), lifespan=lifespan)


def _handlers() -> dict[Any, Any]:
    async def refused(_: Request, error: Refused) -> Response:
        return problem(error.status, str(error))

    async def plain(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, error.detail)

    def known(status: int) -> Any:
        async def handler(_: Request, error: Exception) -> Response:
            return problem(status, str(error) or type(error).__name__)

        return handler

    statuses = {InvalidText: 422, AggregateNotFoundError: 404, TodoDeleted: 404, IntegrityError: 409}
    # A server that is read-only, as a standby is, refuses an insert with what the driver counts as an internal error.
    away = {OperationalError: 503, InterfaceError: 503, InternalError: 503}
    return {Refused: refused, HTTPException: plain} | {kind: known(code) for kind, code in (statuses | away).items()}


if __name__ == "__main__":
    logging = copy.deepcopy(LOGGING_CONFIG)
    logging["handlers"]["default"]["stream"] = "ext://sys.stdout"
    uvicorn.run(
        application(),
        host=os.environ["HOST"],
        port=int(os.environ["PORT"]),
        access_log=False,
        log_config=logging,
        lifespan="on",
    )
