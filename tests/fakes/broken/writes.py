"""Breaks of the rules of writes."""

from __future__ import annotations

import asyncio
from collections import Counter

from aiohttp import web

from tests.fakes.broken.breaking import (
    SMALL,
    Act,
    answers,
    breaks,
    document_of,
    edits,
    headless,
    like,
)
from tests.fakes.contract import Handler, kind
from tests.fakes.todo_server import FakeTodoServer

answers("create-201", "create", 201, 200)
answers("update-200", "update", 200, 202)
answers("delete-204", "delete", 204, 202)
edits("create-written", "create", lambda _, told: told | {"version": 0})
edits("update-written", "update", lambda _, told: told | {"stream": "other"})


headless("create-location", "create", "Location")
headless("delete-version", "delete", "ETag")


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
        return like(known[body], document_of(known[body]))

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
        return response if alone or response.status != 200 else like(response, document_of(response) | {"version": 2})

    return act
