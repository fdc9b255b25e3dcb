"""Breaks of the rules of single reads and of pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.fakes.broken.breaking import (
    Act,
    answers,
    any_number,
    asks,
    breaks,
    each_todo,
    edits,
    larger,
    refuses,
    text_of,
)
from tests.fakes.contract import Handler, kind
from tests.fakes.todo_server import FakeTodoServer

answers("get-200", "get", 200, 203)
edits("get-fields", "get", lambda _, told: told | {"id": "other"})
edits("text-exact", "get page", lambda _, told: each_todo(told, lambda todo: todo.update(text=todo["text"].strip())))
refuses("text-2000", lambda told: len(text_of(told)) == 2000, 422)


def _stale(version: int) -> Callable[[FakeTodoServer, Any], None]:
    def edit(todo: Any) -> None:
        if todo["version"] == version and todo["text"].startswith("conformance"):
            todo["text"] = "stale"

    return lambda _, told: each_todo(told, edit)


edits("visible-create", "get page", _stale(1), "stats-backlog-honest")
edits("visible-update", "get page", _stale(3), "wait-200")


@breaks("visible-delete", "wait-deleted-404")
def _undeleted(server: FakeTodoServer) -> Act:
    async def act(request: web.Request, handler: Handler) -> web.StreamResponse:
        row = server.rows.get(request.match_info.get("id", ""))
        if kind(request) == "get" and row is not None and row.deleted:
            return web.json_response({"id": request.match_info["id"], "text": row.text, "version": row.version})
        return await handler(request)

    return act


answers("page-fields", "page", 200, 203)
edits("page-order", "page", lambda _, told: told["todos"].reverse())
edits("page-next", "page", lambda _, told: told | {"next": None})
edits("page-as-read", "page", lambda _, told: each_todo(told, lambda todo: todo.update(text="another")))


asks("page-limit", larger("page"))
asks("page-limit-400", any_number("page"))


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
