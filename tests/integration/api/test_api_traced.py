"""Tracing changes nothing but speed: the same requests get the same answers, by the same routes and handlers."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Final

from litestar.types import Message

from services.api.app import create_asgi
from services.api.http import problems
from services.api.routes.metrics import observe
from services.api.serving.access import HEADER, Access
from services.api.serving.admission import Admission
from services.api.serving.protocol import CONNECTION
from services.api.settings import Settings
from services.tracing import Tracing
from tests.cluster import Cluster

JSON: Final = (b"content-type", b"application/json")
CREATED: Final = "{created}"
UNKNOWN: Final = "/todos/todo-" + "0" * 32
REQUESTS: Final[list[tuple[str, str, str, list[tuple[bytes, bytes]]]]] = [
    ("POST", "/todos", '{"text": "one"}', [JSON]),
    ("POST", "/todos", '{"text": "keyed"}', [JSON, (b"idempotency-key", b"k")]),
    ("POST", "/todos", '{"text": "keyed"}', [JSON, (b"idempotency-key", b"k")]),
    ("POST", "/todos", '{"text": ""}', [JSON]),
    ("POST", "/todos", "{", [JSON]),
    ("POST", "/todos", "text", [(b"content-type", b"text/plain")]),
    ("PUT", CREATED, '{"text": "two"}', [JSON, (b"if-match", b'"1"')]),
    ("PUT", CREATED, '{"text": "two"}', [JSON, (b"if-match", b'"1"')]),
    ("GET", UNKNOWN, "", []),
    ("GET", f"{UNKNOWN}?at_least_version=1&wait=0", "", []),
    ("GET", "/todos?limit=0", "", []),
    ("GET", "/todos?limit=3", "", []),
    ("DELETE", CREATED, "", []),
    ("DELETE", CREATED, "", []),
    ("PATCH", "/todos", "", []),
    ("GET", "/nowhere", "", []),
    ("GET", "/stats", "", []),
    ("GET", "/readyz", "", []),
    ("GET", "/livez", "", []),
    ("POST", "/drain", "", []),
    # The document itself has examples by chance.
    ("GET", "/schema/nothing", "", []),
]


class OneRequest:
    """A connection, as far as the access log asks for one."""

    last = False

    def begin(self, _: object) -> None:
        self.began = True

    def answered(self) -> None:
        self.ended = True


async def ask(app: Access, method: str, path: str, body: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """What is answered, and what it passed on its way. Ids, positions and times are made alike."""
    connection = OneRequest()
    bare, _, query = path.partition("?")
    scope: dict[str, Any] = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": ""},
        **{"method": method, "path": bare, "raw_path": bare.encode(), "query_string": query.encode()},
        **{"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "state": {CONNECTION: connection}},
        "headers": [*headers, (b"content-length", b"%d" % len(body)), (HEADER, b"the-request")],
    }
    sent: list[Message] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    start, *rest = sent
    whole = b"".join(message["body"] for message in rest)  # type: ignore[typeddict-item]
    return {
        "status": start["status"],  # type: ignore[typeddict-item]
        "headers": sorted((name, _header(name, value, whole)) for name, value in start["headers"]),  # type: ignore[typeddict-item]
        "body": _alike(whole.decode()),
        "messages": [message["type"] for message in sent],
        "route": scope.get("path_template"),
        "handler": str(scope.get("route_handler")),
        "connection": vars(connection),
    }


def _header(name: bytes, value: bytes, body: bytes) -> str:
    if name == b"content-length":
        return "as long as the body" if int(value) == len(body) else value.decode()
    # The methods of a route come in no order.
    return ", ".join(sorted(value.decode().split(", "))) if name == b"allow" else _alike(value.decode())


def _alike(text: str) -> str:
    text = re.sub(r"todo-[0-9a-f]{32}", "todo-…", text)
    text = re.sub(r'"(position|lastEventInStore|eventIdLag)":\d+', r'"\1":0', text)
    text = re.sub(r'"oldestUnprojectedAgeMs":[\d.]+', '"oldestUnprojectedAgeMs":0', text)
    # Postgres's statistics come when its sessions have told them.
    text = re.sub(r'"deadStreams":\d+', '"deadStreams":0', text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "now", text)


async def answers(url: str, tracing: Tracing | None) -> list[dict[str, Any]]:
    """All requests, one after another, to an API of its own."""
    app = create_asgi(Settings(database_url=url), tracing)
    found: list[dict[str, Any]] = []
    async with app.app.lifespan():  # type: ignore[attr-defined]
        created = await _create(app)
        for method, path, body, headers in REQUESTS:
            found.append(await ask(app, method, created if path == CREATED else path, body, headers))
    return found


async def _create(app: Access) -> str:
    locations: list[str] = []
    inner = app.app

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        async def look(message: Any) -> None:
            locations.extend(value.decode() for name, value in message.get("headers", ()) if name == b"location")
            await send(message)

        await inner(scope, receive, look)

    await ask(
        Access(noted, observe, Admission(1.0, problems.OVERLOADED)),
        "POST",
        "/todos",
        json.dumps({"text": "to change"}),
        [JSON],
    )
    return locations[0]


async def test_the_same_answers_by_the_same_way(cluster: Cluster) -> None:
    plain = await answers(cluster.create(), None)
    traced = await answers(cluster.create(), await asyncio.to_thread(Tracing, "api"))

    assert len({one["status"] for one in plain}) > 7
    for (method, path, *_), one, other in zip(REQUESTS, plain, traced, strict=True):
        assert one == other, f"{method} {path}"
