"""Requests for one todo in their plain form, answered ahead of Litestar's layers.

Matching a route, making a request, reading parameters by its signature and carrying the answer back took Litestar more
than a third of the API's time for a write (ADR 0015). Here stands the same for the four operations that a load is made
of. Whatever is not plain goes on to Litestar: another path or method, a query, a header sent twice, a body in chunks or
too long. Both ways end in the same operations and the same refusals, and a test holds their answers to each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from services.api.answers import Answer
from services.api.operations import TodoOperations
from services.api.problems import problem_of
from services.api.refusals import MalformedRequest
from services.api.requests import MAX_BODY, is_todo_id, text_of

COLLECTION: Final = "/todos"
ITEM: Final = "/todos/"
ITEM_TEMPLATE: Final = "/todos/{stream}"

Headers = Mapping[bytes, bytes]
Operation = Callable[[str, Headers, Receive], Awaitable[Answer]]

_READ: Final = frozenset((b"content-type", b"content-length", b"transfer-encoding", b"if-match", b"idempotency-key"))


class Direct:
    """An ASGI application around another, which gets whatever is not plain."""

    def __init__(self, app: ASGIApp, todos: TodoOperations) -> None:
        self._app: Final = app
        self._todos: Final = todos
        self._on_item: Final[dict[str, Operation]] = {"PUT": self._update, "DELETE": self._delete, "GET": self._read}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            stream = scope["path"][len(ITEM) :]
            operation = self._operation(scope, stream)
            if operation and (headers := _plain(scope)) is not None:
                scope["path_template"] = ITEM_TEMPLATE if stream else COLLECTION
                answer = await _outcome(operation(stream, headers, receive))
                await answer.send(send)
                return
        await self._app(scope, receive, send)

    def _operation(self, scope: HTTPScope, stream: str) -> Operation | None:
        path = scope["path"]
        if scope["query_string"]:
            return None
        if path == COLLECTION:
            return self._create if scope["method"] == HttpMethod.POST else None
        return self._on_item.get(scope["method"]) if path.startswith(ITEM) and is_todo_id(stream) else None

    async def _create(self, _: str, headers: Headers, receive: Receive) -> Answer:
        return await self._todos.create(await _text(headers, receive), _value(headers, b"idempotency-key"))

    async def _update(self, stream: str, headers: Headers, receive: Receive) -> Answer:
        text = await _text(headers, receive)
        return await self._todos.update(stream, text, _value(headers, b"if-match"), _value(headers, b"idempotency-key"))

    async def _delete(self, stream: str, headers: Headers, _: Receive) -> Answer:
        return await self._todos.delete(stream, _value(headers, b"if-match"), _value(headers, b"idempotency-key"))

    async def _read(self, stream: str, _: Headers, __: Receive) -> Answer:
        return await self._todos.read(stream)


async def _outcome(operation: Awaitable[Answer]) -> Answer:
    try:
        return await operation
    except Exception as error:
        return problem_of(error)


def _plain(scope: HTTPScope) -> Headers | None:
    """The headers that are read, or None where the request is not plain."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in headers or name == b"transfer-encoding":
                return None
            headers[name] = value
    length = headers.get(b"content-length", b"0")
    return headers if len(length) <= len(str(MAX_BODY)) and length.isdigit() and int(length) <= MAX_BODY else None


async def _text(headers: Headers, receive: Receive) -> str:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedRequest("the body was cut off")
        body += message["body"]
        if not message["more_body"]:
            return text_of(body, _value(headers, b"content-type"))


def _value(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
