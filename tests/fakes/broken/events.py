"""Breaks of the rules of the log, and a server that acknowledges before its commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from tests.fakes.broken.breaking import (
    Act,
    answers,
    any_number,
    asks,
    breaks,
    document_of,
    edits,
    larger,
    like,
    without,
)
from tests.fakes.contract import Handler, kind
from tests.fakes.todo_server import FakeTodoServer

HIDDEN_S: Final = 0.3
"""For how long after its write an event is not shown: on a busy machine, too, one looks sooner than that."""

answers("events-fields", "events", 200, 203)
edits("events-order", "events", lambda _, told: told["events"].reverse())
edits("events-next", "events", lambda _, told: told | {"next": None})


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
    return [one for one in events if (now - datetime.fromisoformat(one["recordedAt"])).total_seconds() > HIDDEN_S]


def _young(_: FakeTodoServer, told: Any) -> None:
    old = _old(told["events"])
    if len(old) < len(told["events"]):
        told.update(events=old, next=None)


edits("events-recorded-at", "events", _each(lambda event: event.update(recordedAt=event["recordedAt"][:19])))
edits("events-versions", "events", _each(_repeat))
edits("events-types", "events", _each(_hollow))
edits("events-at-once", "events", _young)
asks("events-limit", larger("events"))
asks("events-limit-400", any_number("events"))


def _inclusive(_: FakeTodoServer, request: web.Request) -> web.Request:
    after = request.query.get("after", "")
    if kind(request) != "events" or not after.isdecimal() or after == "0":
        return request
    return without(request, after=str(int(after) - 1))


asks("events-after", _inclusive, "events-order")


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


def early() -> FakeTodoServer:
    """A server that acknowledges a write some time before it is committed."""
    server = FakeTodoServer()

    @web.middleware
    async def before(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if response.status != 200 or kind(request) not in ("stats", "events"):
            return response
        document = document_of(response)
        if kind(request) == "events":
            _young(server, document)
        else:
            document["eventCount"] = len(_old(server.events.page(0, server.committed + 1)["events"]))
        return like(response, document)

    server.before.append(before)
    return server
