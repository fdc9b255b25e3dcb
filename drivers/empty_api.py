"""`python -m drivers.empty_api`: the routes of the Todo API on Litestar, doing nothing.

A body is validated, a path parameter is taken, and a document of the same shape is answered; there is no store behind
it, no request id, no metrics. It is what Litestar can do at most: on Granian, the server that is fastest for it.
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server
from litestar import Litestar, Response, delete, get, post, put
from msgspec import Struct

MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class TextBody(Struct, frozen=True):
    """The body of a create or an update."""

    text: str


class Written(Struct, frozen=True):
    """What a write is answered with."""

    stream: str
    version: int
    position: int


class TodoDocument(Struct, frozen=True, rename="camel"):
    """What a read is answered with."""

    id: str
    text: str
    created_at: datetime
    updated_at: datetime
    version: int


numbers: Final = itertools.count(1)


@post("/todos")
async def create(data: TextBody) -> Response[Written]:
    """An id, and nothing behind it."""
    stream = f"todo-{next(numbers):032x}"
    return Response(Written(stream, 1, 1), status_code=201, headers={"Location": f"/todos/{stream}", "ETag": '"1"'})


@put("/todos/{stream:str}")
async def update(stream: str, data: TextBody) -> Response[Written]:
    """Nothing."""
    return Response(Written(stream, 2, 2), headers={"ETag": '"2"'})


@delete("/todos/{stream:str}")
async def remove(stream: str) -> Response[None]:
    """Nothing."""
    return Response(None, status_code=204, headers={"ETag": '"3"'})


@get("/todos/{stream:str}")
async def read(stream: str) -> Response[TodoDocument]:
    """A todo that is always the same."""
    todo = TodoDocument(stream, "buy milk, bread and a newspaper", MOMENT, MOMENT, 1)
    return Response(todo, headers={"ETag": '"1"'})


@get("/readyz")
async def ready() -> dict[str, Any]:
    """Always."""
    return {"status": "ready"}


def application() -> Litestar:
    """The application."""
    return Litestar([create, update, remove, read, ready], openapi_config=None, logging_config=None)


def main() -> None:
    """Serve with one worker until stopped."""
    Server(
        "drivers.empty_api:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=os.environ["API_HOST"],
        port=int(os.environ["API_PORT"]),
        workers=1,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
