"""Breaks of the rules of the other capabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from tests.fakes.broken.breaking import (
    Act,
    Make,
    answers,
    asks,
    breaks,
    each_todo,
    edits,
    headless,
    without,
)
from tests.fakes.contract import KEY, Handler, kind, problem
from tests.fakes.todo_server import FakeTodoServer

answers("drain-202", "drain", 202, 200)
answers("wait-504", "get", 504, 404)
headless("if-match-etag", "get", "ETag")
edits("applied-counts", "get", lambda _, told: told | {"applied": told["applied"] + 1})
edits("applied-page", "page", lambda _, told: each_todo(told, lambda todo: todo.pop("applied")))
edits("leases-projectors", "stats", lambda _, told: told | {"projectors": []})


def _at_once(server: FakeTodoServer, request: web.Request) -> web.Request:
    stream = server.streams.get(request.match_info.get("id", ""))
    wanted = request.query.get("at_least_version", "")
    if kind(request) != "get" or not wanted.isdecimal() or stream is None or stream.deleted:
        return request
    return without(request, at_least_version=None) if 0 < int(wanted) <= stream.version else request


def _any_wait(_: FakeTodoServer, request: web.Request) -> web.Request:
    asked = request.query.get("at_least_version", "1"), request.query.get("wait", "1")
    odd = kind(request) == "get" and not (all(map(str.isdecimal, asked)) and asked[0] != "0")
    return without(request, at_least_version=None, wait=None) if odd else request


asks("wait-200", _at_once, late=True)
asks("wait-400", _any_wait)


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
    return without(request, "If-Match")


asks("if-match-409", partial(_unconditional, readable=True))
asks("if-match-400", partial(_unconditional, readable=False))


@breaks("if-match-200")
def _no_star(_: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        return problem(409, "broken") if request.headers.get("If-Match") == "*" else await handler(request)

    return act
