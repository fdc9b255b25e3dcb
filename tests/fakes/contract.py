"""The contract's refusals and capabilities as one middleware before the fake Todo server, which has none of them.

Conditions are looked at and the write is done without a pause in between, so no other request can come between.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from tests.fakes.todo_server import FakeTodoServer

MOST_TEXT: Final = 2000
MOST_LIMIT: Final = 1000
POLL_S: Final = 0.002
KEY: Final = web.RequestKey("idempotency key", str)
"""Within a request: what stands for its header."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KINDS: Final = {
    ("POST", "/todos"): "create",
    ("GET", "/todos"): "page",
    ("GET", "/todos/{id}"): "get",
    ("PUT", "/todos/{id}"): "update",
    ("DELETE", "/todos/{id}"): "delete",
    ("GET", "/stats"): "stats",
    ("GET", "/events"): "events",
    ("POST", "/drain"): "drain",
    ("GET", "/readyz"): "ready",
}


class Refused(Exception):
    """An answer instead of the handler's."""

    def __init__(self, status: int, title: str) -> None:
        self.status, self.title = status, title
        super().__init__(title)


def contract(server: FakeTodoServer) -> Any:
    """The middleware of one server."""
    answered: dict[str, tuple[tuple[str, str, bytes], tuple[int, bytes, dict[str, str]]]] = {}

    @web.middleware
    async def kept(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            body = await _checked(request)
            key = _key(request)
            content = (request.method, request.path, body)
            if key in answered:
                return _again(answered[key], content)
            _match(server, request)
            await _awaited(server, request)
            response = _told(request, await handler(request))
            if key:
                answered[key] = content, (response.status, _content(response), dict(response.headers))
            return response
        except Refused as refused:
            return problem(refused.status, refused.title)

    return kept


def kind(request: web.Request) -> str:
    """What a request asks for, empty for what there is not."""
    resource = request.match_info.route.resource
    return KINDS.get((request.method, resource.canonical if resource else ""), "")


def problem(status: int, title: str = "", **more: Any) -> web.Response:
    """A refusal as RFC 9457 has it."""
    headers = {"Retry-After": "1"} if status == 503 else {}
    document = {"type": "about:blank", "title": title or f"status {status}", **more, "status": status}
    return web.json_response(document, status=status, content_type="application/problem+json", headers=headers)


def text_of(body: bytes) -> str:
    """The text of a body. Raises Refused."""
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise Refused(400, "no JSON") from None
    text = document.get("text") if isinstance(document, dict) else None
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT:
        raise Refused(422, "no such text")
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Refused(422, "no Unicode text")
    return text


def version_of(if_match: str) -> int | None:
    """The version of an If-Match, None for `*`. Raises Refused."""
    if if_match == "*":
        return None
    found = re.fullmatch(r'"(\d{1,9})"', if_match)
    if found is None:
        raise Refused(400, "If-Match can not be read")
    return int(found[1])


async def _checked(request: web.Request) -> bytes:
    """The body, once it and the query are found in order. Raises Refused."""
    asked = kind(request)
    if not asked:
        raise Refused(404, "no such resource")
    if asked in ("page", "events"):
        _number(request, "limit", 1, MOST_LIMIT)
    if asked == "events":
        _number(request, "after", 0, 2**53)
    if asked == "get":
        _number(request, "at_least_version", 1, 10**9)
        _number(request, "wait", 0, 10_000)
    if asked not in ("create", "update"):
        return b""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(413, "too large") from None
    if request.content_type != "application/json":
        raise Refused(415, "no JSON by its own word")
    text_of(body)
    return body


def _number(request: web.Request, name: str, least: int, most: int) -> None:
    given = request.query.get(name)
    if given is not None and not (re.fullmatch(r"\d{1,16}", given) and least <= int(given) <= most):
        raise Refused(400, f"{name} out of bounds")


def _key(request: web.Request) -> str:
    given = request.get(KEY, request.headers.get("Idempotency-Key", ""))
    key = str(given) if request.method in ("POST", "PUT", "DELETE") else ""
    if len(key) > 200:
        raise Refused(400, "Idempotency-Key too long")
    return key


def _again(
    known: tuple[tuple[str, str, bytes], tuple[int, bytes, dict[str, str]]], content: tuple[str, str, bytes]
) -> web.Response:
    was, (status, body, headers) = known
    if was != content:
        raise Refused(409, "key used for other content")
    return web.Response(status=status, body=body or None, headers=headers)


def _match(server: FakeTodoServer, request: web.Request) -> None:
    if kind(request) not in ("update", "delete") or "If-Match" not in request.headers:
        return
    wanted = version_of(request.headers["If-Match"])
    stream = server.streams.get(request.match_info["id"])
    if stream is not None and not stream.deleted and wanted not in (None, stream.version):
        raise Refused(409, "another version")


async def _awaited(server: FakeTodoServer, request: web.Request) -> None:
    """Wait for the version that a read asks for. Raises Refused."""
    if kind(request) != "get" or "at_least_version" not in request.query:
        return
    clock = asyncio.get_running_loop().time
    ends = clock() + int(request.query.get("wait", "1000")) / 1000
    while True:
        row = server.rows.get(request.match_info["id"])
        if row is not None and row.version >= int(request.query["at_least_version"]):
            return
        if clock() >= ends:
            raise Refused(504, "not projected yet")
        await asyncio.sleep(POLL_S)


def _told(request: web.Request, response: web.StreamResponse) -> web.Response:
    """The handler's answer as the contract wants it: a problem, or with its headers."""
    assert isinstance(response, web.Response)
    document = json.loads(_content(response) or b"null")
    if response.status >= 400:
        return problem(response.status, **document)
    if kind(request) == "create":
        response.headers["Location"] = f"/todos/{document['stream']}"
    if kind(request) in ("create", "update", "get"):
        response.headers["ETag"] = f'"{document["version"]}"'
    return response


def _content(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""
