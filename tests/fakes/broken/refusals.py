"""Breaks of the rules of refusals."""

from __future__ import annotations

from aiohttp import web

from tests.fakes.broken.breaking import (
    Act,
    answers,
    asks,
    breaks,
    refuses,
    text_of,
)
from tests.fakes.contract import Handler, kind, problem
from tests.fakes.todo_server import FakeTodoServer

refuses("text-missing-422", lambda told: "text" not in told, 400)
refuses("text-type-422", lambda told: not isinstance(told.get("text", ""), str), 400)
refuses("text-blank-422", lambda told: isinstance(told.get("text"), str) and not text_of(told).strip(), 400)
refuses("text-long-422", lambda told: len(text_of(told)) == 2001, 413)
refuses("text-unstorable-422", lambda told: bool({"\0", "\ud800"} & set(text_of(told))), 500)
answers("bad-json-400", "create", 400, 422, unless="Idempotency-Key")
answers("body-413", "create", 413, 400)


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


asks("content-type-415", _any_type)


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
