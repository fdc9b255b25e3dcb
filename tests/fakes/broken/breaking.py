"""How a rule is broken: a middleware before the sound server, entered under the name of the rule.

The forms that several breaks share stand here; each other one stands with the rules of its part.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from tests.fakes.contract import MOST_LIMIT, Handler, kind, problem
from tests.fakes.todo_server import FakeTodoServer

LATE_S: Final = 0.05
SMALL: Final = 64 * 1024
"""Bytes of a body that a break looks into; a larger one is read once, by the server behind it."""

Act = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
Make = Callable[[FakeTodoServer], Act]


@dataclass(frozen=True)
class Break:
    """How one rule is broken. `late`: events take longer to be projected."""

    make: Make
    also: frozenset[str]
    late: bool


BREAKS: Final[dict[str, Break]] = {}


def broken(rule: str) -> FakeTodoServer:
    """A server with this rule broken."""
    found = BREAKS[rule]
    server = FakeTodoServer(projected_after_s=LATE_S) if found.late else FakeTodoServer()
    act = found.make(server)

    @web.middleware
    async def before(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await act(request, handler)

    server.before.append(before)
    return server


def breaks(rule: str, *also: str, late: bool = False) -> Callable[[Make], Make]:
    """Enter a break under the rule's name."""

    def entered(make: Make) -> Make:
        BREAKS[rule] = Break(make, frozenset(also), late)
        return make

    return entered


def edits(rule: str, asked: str, edit: Callable[[FakeTodoServer, Any], Any], *also: str, late: bool = False) -> None:
    """A break that changes the document of sound answers."""

    def make(server: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if kind(request) not in asked.split() or response.status != (201 if kind(request) == "create" else 200):
                return response
            document = document_of(response)
            return like(response, edit(server, document) or document)

        return act

    breaks(rule, *also, late=late)(make)


def answers(rule: str, asked: str, was: int, status: int, *also: str, unless: str = "") -> None:
    """A break that answers with another status; `unless` is a header of the request."""

    def make(_: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if kind(request) != asked or response.status != was or unless in request.headers:
                return response
            if status >= 400:
                return problem(status, "broken")
            response.set_status(status)
            return response

        return act

    breaks(rule, *also)(make)


def refuses(rule: str, when: Callable[[Any], bool], status: int) -> None:
    """A break that refuses a create's document with another status."""

    def make(_: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            small = (request.content_length or 0) < SMALL
            if kind(request) == "create" and request.content_type == "application/json" and small:
                try:
                    if when(json.loads(await request.read())):
                        return problem(status, "broken")
                except ValueError:
                    return await handler(request)
            return await handler(request)

        return act

    breaks(rule)(make)


def asks(rule: str, ask: Callable[[FakeTodoServer, web.Request], web.Request], *also: str, late: bool = False) -> None:
    """A break that hands another request to the sound server."""

    def make(server: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await handler(ask(server, request))

        return act

    breaks(rule, *also, late=late)(make)


def document_of(response: web.StreamResponse) -> Any:
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def like(response: web.StreamResponse, document: Any) -> web.Response:
    kept = {name: value for name, value in response.headers.items() if name in ("ETag", "Location")}
    return web.json_response(document, status=response.status, content_type=response.content_type, headers=kept)


def without(request: web.Request, *headers: str, **query: str | None) -> web.Request:
    """The request without these headers, and with these parameters, none of those that are None."""
    kept = CIMultiDict((name, value) for name, value in request.headers.items() if name not in headers)
    asked = {name: value for name, value in {**request.query, **query}.items() if value is not None}
    return request.clone(headers=kept, rel_url=request.rel_url.with_query(asked))


def text_of(document: Any) -> str:
    told = document.get("text")
    return told if isinstance(told, str) else ""


def each_todo(document: Any, edit: Callable[[Any], Any]) -> None:
    """Edit one todo, or those of a page."""
    for todo in document.get("todos", [document]):
        edit(todo)


def headless(rule: str, asked: str, header: str) -> None:
    def make(_: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if kind(request) == asked:
                response.headers.pop(header, None)
            return response

        return act

    breaks(rule)(make)


def larger(asked: str) -> Callable[[FakeTodoServer, web.Request], web.Request]:
    def ask(_: FakeTodoServer, request: web.Request) -> web.Request:
        limit = request.query.get("limit", "")
        if kind(request) != asked or not limit.isdecimal() or not 0 < int(limit) < MOST_LIMIT:
            return request
        return without(request, limit=str(int(limit) + 1))

    return ask


def any_number(asked: str) -> Callable[[FakeTodoServer, web.Request], web.Request]:
    def ask(_: FakeTodoServer, request: web.Request) -> web.Request:
        if kind(request) != asked:
            return request
        odd = {name for name in ("limit", "after") if not request.query.get(name, "1").isdecimal()}
        odd -= {"after"} if asked == "page" else set()
        if not 0 < int("".join(filter(str.isdecimal, request.query.get("limit", "1"))) or 1) <= MOST_LIMIT:
            odd.add("limit")
        return without(request, **dict.fromkeys(odd)) if odd else request

    return ask
