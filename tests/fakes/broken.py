"""The fake Todo server with one rule of the contract broken: each break is a middleware before the sound server.

`also` are rules that can not hold where that one does not.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from tests.fakes.contract import KEY, MOST_LIMIT, Handler, kind, problem
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


def _edits(rule: str, asked: str, edit: Callable[[FakeTodoServer, Any], Any], *also: str) -> None:
    """A break that changes the document of sound answers."""

    def make(server: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if kind(request) not in asked.split() or response.status != (201 if kind(request) == "create" else 200):
                return response
            document = _document(response)
            return _like(response, edit(server, document) or document)

        return act

    breaks(rule, *also)(make)


def _answers(rule: str, asked: str, was: int, status: int, *also: str, unless: str = "") -> None:
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


def _refuses(rule: str, when: Callable[[Any], bool], status: int) -> None:
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


def _asks(rule: str, ask: Callable[[FakeTodoServer, web.Request], web.Request], *also: str, late: bool = False) -> None:
    """A break that hands another request to the sound server."""

    def make(server: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await handler(ask(server, request))

        return act

    breaks(rule, *also, late=late)(make)


def _document(response: web.StreamResponse) -> Any:
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def _like(response: web.StreamResponse, document: Any) -> web.Response:
    kept = {name: value for name, value in response.headers.items() if name in ("ETag", "Location")}
    return web.json_response(document, status=response.status, content_type=response.content_type, headers=kept)


def _without(request: web.Request, *headers: str, **query: str | None) -> web.Request:
    """The request without these headers, and with these parameters, none of those that are None."""
    kept = CIMultiDict((name, value) for name, value in request.headers.items() if name not in headers)
    asked = {name: value for name, value in {**request.query, **query}.items() if value is not None}
    return request.clone(headers=kept, rel_url=request.rel_url.with_query(asked))


def _text(document: Any) -> str:
    told = document.get("text")
    return told if isinstance(told, str) else ""


def _todos(document: Any, edit: Callable[[Any], Any]) -> None:
    """Edit one todo, or those of a page."""
    for todo in document.get("todos", [document]):
        edit(todo)


# Writes

_answers("create-201", "create", 201, 200)
_answers("update-200", "update", 200, 202)
_answers("delete-204", "delete", 204, 202)
_edits("create-written", "create", lambda _, told: told | {"version": 0})
_edits("update-written", "update", lambda _, told: told | {"stream": "other"})


def _headless(rule: str, asked: str, header: str) -> None:
    def make(_: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if kind(request) == asked:
                response.headers.pop(header, None)
            return response

        return act

    breaks(rule)(make)


_headless("create-location", "create", "Location")
_headless("delete-version", "delete", "ETag")


@breaks("ready-200")
def _ready(_: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        return web.Response(status=204) if kind(request) == "ready" else await handler(request)

    return act


@breaks("create-new-stream")
def _same_stream(_: FakeTodoServer) -> Act:
    known: dict[bytes, web.StreamResponse] = {}

    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        if kind(request) != "create" or (request.content_length or 0) >= SMALL:
            return await handler(request)
        body = await request.read()
        if body not in known:
            response = await handler(request)
            if response.status != 201:
                return response
            known[body] = response
        return _like(known[body], _document(known[body]))

    return act


@breaks("concurrent-versions")
def _same_version(_: FakeTodoServer) -> Act:
    under_way: Counter[str] = Counter()

    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        if kind(request) != "update":
            return await handler(request)
        id = request.match_info["id"]
        under_way[id] += 1
        try:
            response = await handler(request)
            await asyncio.sleep(0.01)
            alone = under_way[id] == 1
        finally:
            under_way[id] -= 1
        return response if alone or response.status != 200 else _like(response, _document(response) | {"version": 2})

    return act


# Reads

_answers("get-200", "get", 200, 203)
_edits("get-fields", "get", lambda _, told: told | {"id": "other"})
_edits("text-exact", "get page", lambda _, told: _todos(told, lambda todo: todo.update(text=todo["text"].strip())))
_refuses("text-2000", lambda told: len(_text(told)) == 2000, 422)


def _stale(version: int) -> Callable[[FakeTodoServer, Any], None]:
    def edit(todo: Any) -> None:
        if todo["version"] == version and todo["text"].startswith("conformance"):
            todo["text"] = "stale"

    return lambda _, told: _todos(told, edit)


_edits("visible-create", "get page", _stale(1), "stats-backlog-honest")
_edits("visible-update", "get page", _stale(3), "wait-200")


@breaks("visible-delete", "wait-deleted-404")
def _undeleted(server: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        row = server.rows.get(request.match_info.get("id", ""))
        if kind(request) == "get" and row is not None and row.deleted:
            return web.json_response({"id": request.match_info["id"], "text": row.text, "version": row.version})
        return await handler(request)

    return act


# Pages

_answers("page-fields", "page", 200, 203)
_edits("page-order", "page", lambda _, told: told["todos"].reverse())
_edits("page-next", "page", lambda _, told: told | {"next": None})
_edits("page-as-read", "page", lambda _, told: _todos(told, lambda todo: todo.update(text="another")))


def _larger(asked: str) -> Callable[[FakeTodoServer, web.Request], web.Request]:
    def ask(_: FakeTodoServer, request: web.Request) -> web.Request:
        limit = request.query.get("limit", "")
        if kind(request) != asked or not limit.isdecimal() or not 0 < int(limit) < MOST_LIMIT:
            return request
        return _without(request, limit=str(int(limit) + 1))

    return ask


def _any_number(asked: str) -> Callable[[FakeTodoServer, web.Request], web.Request]:
    def ask(_: FakeTodoServer, request: web.Request) -> web.Request:
        if kind(request) != asked:
            return request
        odd = {name for name in ("limit", "after") if not request.query.get(name, "1").isdecimal()}
        odd -= {"after"} if asked == "page" else set()
        if not 0 < int("".join(filter(str.isdecimal, request.query.get("limit", "1"))) or 1) <= MOST_LIMIT:
            odd.add("limit")
        return _without(request, **dict.fromkeys(odd)) if odd else request

    return ask


_asks("page-limit", _larger("page"))
_asks("page-limit-400", _any_number("page"))


@breaks("page-deleted")
def _deleted_on_pages(server: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        if kind(request) != "page":
            return await handler(request)
        gone = [row for row in server.rows.values() if row.deleted and row.version == 2]
        for row in gone:
            row.deleted = False
        try:
            return await handler(request)
        finally:
            for row in gone:
                row.deleted = True

    return act


# Counts


def _gone(server: FakeTodoServer) -> int:
    return sum(row.deleted for row in server.rows.values())


_edits(
    "stats-event-count",
    "stats",
    lambda server, told: (
        told | {"eventCount": told["eventCount"] - sum(stream.deleted for stream in server.streams.values())}
    ),
)
_edits(
    "stats-projected",
    "stats",
    lambda server, told: told | {"totalEventsProjected": told["totalEventsProjected"] + _gone(server)},
)
_edits("stats-total-todos", "stats", lambda server, told: told | {"totalTodos": told["totalTodos"] - _gone(server)})
_edits("stats-active-todos", "stats", lambda _, told: told | {"activeTodos": told["totalTodos"]})
_edits("stats-backlog-0", "stats", lambda _, told: told | {"backlog": told["backlog"] + 1})
_edits("stats-fields", "stats", lambda _, told: told | {"totalTodos": "3"})
_edits("stats-optional", "stats", lambda _, told: told | {"blockedStreams": "none"})
_edits("stats-backlog-honest", "stats", lambda _, told: told | {"backlog": 0})
# What is not yet projected when a check takes its first count moves it afterwards.
BREAKS["stats-backlog-honest"] = Break(
    BREAKS["stats-backlog-honest"].make,
    frozenset({"stats-projected", "stats-total-todos", "stats-active-todos"}),
    late=True,
)

# Refusals

_refuses("text-missing-422", lambda told: "text" not in told, 400)
_refuses("text-type-422", lambda told: not isinstance(told.get("text", ""), str), 400)
_refuses("text-blank-422", lambda told: isinstance(told.get("text"), str) and not _text(told).strip(), 400)
_refuses("text-long-422", lambda told: len(_text(told)) == 2001, 413)
_refuses("text-unstorable-422", lambda told: bool({"\0", "\ud800"} & set(_text(told))), 500)
_answers("bad-json-400", "create", 400, 422, unless="Idempotency-Key")
_answers("body-413", "create", 413, 400)


def _of_ids(rule: str, asked: str, status: int, *, known: bool) -> None:
    """A break that answers 404 with another status, for ids that never were, or for deleted todos."""

    def make(server: FakeTodoServer) -> Act:
        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if kind(request) != asked or response.status != 404:
                return response
            if (request.match_info["id"] in server.streams) != known:
                return response
            return problem(status, "broken") if status >= 400 else web.Response(status=status)

        return act

    breaks(rule)(make)


_of_ids("get-unknown-404", "get", 410, known=False)
_of_ids("update-unknown-404", "update", 400, known=False)
_of_ids("delete-unknown-404", "delete", 204, known=False)
_of_ids("update-deleted-404", "update", 409, known=True)
_of_ids("delete-deleted-404", "delete", 204, known=True)


def _any_type(_: FakeTodoServer, request: web.Request) -> web.Request:
    if kind(request) != "create" or request.content_type == "application/json":
        return request
    return request.clone(headers={**request.headers, "Content-Type": "application/json"})


_asks("content-type-415", _any_type)


@breaks("problem-document")
def _no_problem(_: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if response.status >= 400:
            response.content_type = "application/json"
        return response

    return act


@breaks("refused-unchanged")
def _written_first(server: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if (
            kind(request) == "update"
            and response.status == 400
            and not {"If-Match", "Idempotency-Key"} & set(request.headers)
        ):
            server.commit(request.match_info["id"], "half")
        return response

    return act


@breaks("unavailable-503")
def _no_retry_after(_: FakeTodoServer) -> Act:
    met: list[None] = []

    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        if kind(request) == "create" and not met:
            met.append(None)
            refused = problem(503, "busy")
            del refused.headers["Retry-After"]
            return refused
        return await handler(request)

    return act


# The log

_answers("events-fields", "events", 200, 203)
_edits("events-order", "events", lambda _, told: told["events"].reverse())
_edits("events-next", "events", lambda _, told: told | {"next": None})


def _each(edit: Callable[[Any], None]) -> Callable[[FakeTodoServer, Any], None]:
    def act(_: FakeTodoServer, told: Any) -> None:
        for event in told["events"]:
            edit(event)

    return act


def _repeat(event: Any) -> None:
    event["version"] -= event["version"] == 5


def _hollow(event: Any) -> None:
    event["data"] = {} if event["type"] == "TodoUpdated" else event["data"]


def _old(events: list[Any]) -> list[Any]:
    now = datetime.now(UTC)
    return [one for one in events if (now - datetime.fromisoformat(one["recordedAt"])).total_seconds() > LATE_S]


def _young(_: FakeTodoServer, told: Any) -> None:
    old = _old(told["events"])
    if len(old) < len(told["events"]):
        told.update(events=old, next=None)


_edits("events-recorded-at", "events", _each(lambda event: event.update(recordedAt=event["recordedAt"][:19])))
_edits("events-versions", "events", _each(_repeat))
_edits("events-types", "events", _each(_hollow))
_edits("events-at-once", "events", _young)
_asks("events-limit", _larger("events"))
_asks("events-limit-400", _any_number("events"))


def _inclusive(_: FakeTodoServer, request: web.Request) -> web.Request:
    after = request.query.get("after", "")
    if kind(request) != "events" or not after.isdecimal() or after == "0":
        return request
    return _without(request, after=str(int(after) - 1))


_asks("events-after", _inclusive, "events-order")


@breaks("events-refused")
def _event_of_a_refusal(server: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if kind(request) == "update" and response.status == 422:
            id = request.match_info["id"]
            server.committed += 1
            server.events.append(server.committed, id, 9, "refused", datetime.now(UTC).isoformat())
        return response

    return act


# Capabilities of writes and reads

_answers("drain-202", "drain", 202, 200)
_answers("wait-504", "get", 504, 404)
_headless("if-match-etag", "get", "ETag")
_edits("applied-counts", "get", lambda _, told: told | {"applied": told["applied"] + 1})
_edits("applied-page", "page", lambda _, told: _todos(told, lambda todo: todo.pop("applied")))
_edits("leases-projectors", "stats", lambda _, told: told | {"projectors": []})


def _at_once(server: FakeTodoServer, request: web.Request) -> web.Request:
    stream = server.streams.get(request.match_info.get("id", ""))
    wanted = request.query.get("at_least_version", "")
    if kind(request) != "get" or not wanted.isdecimal() or stream is None or stream.deleted:
        return request
    return _without(request, at_least_version=None) if 0 < int(wanted) <= stream.version else request


def _any_wait(_: FakeTodoServer, request: web.Request) -> web.Request:
    asked = request.query.get("at_least_version", "1"), request.query.get("wait", "1")
    odd = kind(request) == "get" and not (all(map(str.isdecimal, asked)) and asked[0] != "0")
    return _without(request, at_least_version=None, wait=None) if odd else request


_asks("wait-200", _at_once, late=True)
_asks("wait-400", _any_wait)


@breaks("wait-deleted-404")
def _deleted_after_a_wait(server: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        row = server.rows.get(request.match_info.get("id", ""))
        if kind(request) == "get" and "at_least_version" in request.query and row is not None and row.deleted:
            return web.json_response({"id": request.match_info["id"], "text": row.text, "version": row.version})
        return response

    return act


def _keyless(when: Callable[[web.Request, str, bool | None], bool]) -> Make:
    """Forget keys `when` a request's is such; it is told whether the key was seen, with this content or another."""

    def make(_: FakeTodoServer) -> Act:
        seen: dict[str, bytes] = {}

        async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
            key = request.headers.get("Idempotency-Key", "")
            if not key:
                return await handler(request)
            body = await request.read()
            alike = seen[key] == body if key in seen else None
            seen.setdefault(key, body)
            if when(request, key, alike):
                request[KEY] = ""
            return await handler(request)

        return act

    return make


breaks("idempotency-create")(_keyless(lambda request, key, _: kind(request) == "create" and len(key) <= 200))
breaks("idempotency-update")(_keyless(lambda request, _, alike: kind(request) == "update" and alike is True))
breaks("idempotency-409")(_keyless(lambda request, _, alike: kind(request) == "update" and alike is False))
breaks("idempotency-400")(_keyless(lambda _, key, __: len(key) > 200))


def _unconditional(server: FakeTodoServer, request: web.Request, *, readable: bool) -> web.Request:
    given = request.headers.get("If-Match", "*")
    if given == "*" or (given.strip('"').isdecimal() != readable):
        return request
    return _without(request, "If-Match")


_asks("if-match-409", partial(_unconditional, readable=True))
_asks("if-match-400", partial(_unconditional, readable=False))


@breaks("if-match-200")
def _no_star(_: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        return problem(409, "broken") if request.headers.get("If-Match") == "*" else await handler(request)

    return act


def early() -> FakeTodoServer:
    """A server that acknowledges a write some time before it is committed."""
    server = FakeTodoServer()

    @web.middleware
    async def before(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if response.status != 200 or kind(request) not in ("stats", "events"):
            return response
        document = _document(response)
        if kind(request) == "events":
            _young(server, document)
        else:
            document["eventCount"] = len(_old(server.events.page(0, server.committed + 1)["events"]))
        return _like(response, document)

    server.before.append(before)
    return server
