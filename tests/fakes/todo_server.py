"""A small Todo service that keeps the HTTP contract, in memory, with faults that a test can switch on.

It has no event store and no projector: an event is projected a few milliseconds after its commit.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

from aiohttp import web

from tests.fakes.contract import contract
from tests.fakes.event_log import EventLog

PROJECTED_AFTER_S = 0.003
# The first writes set the scene (the probe's seeds, some todos): a fault comes when the load runs.
SCENE = 40
CEASED_S = 1.0
# More than are taken between the last write of a load and the first look of its convergence.
LOOKS = 20
REQUIRED = ("eventCount", "totalEventsProjected", "totalTodos", "activeTodos", "backlog")

Fault = Literal[
    "none", "lose", "forget", "stuck", "slow", "duplicate", "drop", "block", "fail", "vanish",
    "hide", "withhold", "reorder", "invent", "change", "garble",
]  # fmt: skip
CONCERNED = {"forget": "PUT", "reorder": "PUT", "change": "PUT", "withhold": "DELETE"}


@dataclass
class Row:
    """A todo of the read model."""

    text: str
    version: int
    created_at: str
    updated_at: str
    deleted: bool = False
    applied: int = 0


@dataclass
class Stream:
    """The write side of a todo."""

    version: int = 0
    deleted: bool = False


@dataclass
class FakeTodoServer:
    """Use as an async context manager; `base_url` is its address, at any port where `port` is 0.

    The first write that the fault concerns, once the scene is set, suffers it, and every `every`-th after it:

    - `lose`: acknowledged, but no event is kept
    - `forget` (updates only): it counts as projected, but the row does not change
    - `stuck`: nothing is ever projected; `slow`: only once writes have ceased for a second, and
      `/stats` was looked at often since
    - `duplicate`: an event is projected twice
    - `hide`: an event takes effect, and is not in the log; `withhold` (deletes only): so the last event of a stream
    - `reorder` (updates only): an event stands in the log before the one that it follows
    - `invent`: a row is made of which no event tells
    - `change` (updates only): the row has another text than the event
    - `drop`: committed, then the connection is cut without an answer
    - `block`: the stream of that write is blocked for good
    - `fail`: the write is refused with 500 and has no effect
    - `vanish`: the server stops answering at all from then on
    - `garble`: the write is answered with 200 and a document that is none of the contract

    `bare`: it has the required parts of the contract alone: five figures in `/stats`, no `/drain`, no fields beside.
    `before` are middlewares before the contract's.
    """

    fault: Fault = "none"
    every: int = 10
    serial: bool = False
    bare: bool = False
    streams: dict[str, Stream] = field(default_factory=dict)
    waiting: deque[tuple[str, int, str | None, Fault]] = field(default_factory=deque)
    rows: dict[str, Row] = field(default_factory=dict)
    blocked: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    events: EventLog = field(default_factory=EventLog)
    committed: int = 0
    projected: int = 0
    writes: int = 0
    concerned: int = 0
    looks: int = 0
    drain_count: int = 0
    unready: str = ""
    gone: bool = False
    last_event_at: str | None = None
    last_projected_at: str | None = None
    base_url: str = ""
    port: int = 0
    projected_after_s: float = PROJECTED_AFTER_S
    before: list[Any] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[*self.before, contract(self)])
        app.add_routes(
            [
                web.get("/readyz", self._ready),
                web.get("/stats", self._stats),
                web.post("/drain", self._drain),
                web.get("/events", self._events),
                web.post("/todos", self._create),
                web.get("/todos", self._page),
                web.get("/todos/{id}", self._get),
                web.put("/todos/{id}", self._update),
                web.delete("/todos/{id}", self._delete),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def vanish(self) -> None:
        """Stop answering: no new connection is taken, the open ones are cut."""
        self.gone = True
        await self._runner.cleanup()

    def preload(self, todos: int) -> None:
        """Put todos in as if they had been written before."""
        for _ in range(todos):
            self._commit(f"todo-{uuid.uuid4().hex}", Stream(), "from before", "none")

    def commit(self, id: str, text: str) -> None:
        """Write past the API."""
        self.texts.setdefault(id, text)
        self._commit(id, self.streams.get(id) or Stream(), text, "none")

    def share_of_the_hottest(self, streams: int) -> float:
        """The share of the users' writes, creates left out of the hottest alone, that so many streams got."""
        versions = sorted(stream.version for id, stream in self.streams.items() if self.texts[id].startswith("user"))
        return sum(version - 1 for version in versions[-streams:]) / sum(versions)

    async def _ready(self, _: web.Request) -> web.Response:
        if self.unready:
            return web.json_response({"detail": self.unready}, status=503)
        return web.json_response({"status": "ready"})

    async def _drain(self, _: web.Request) -> web.Response:
        self.drain_count += 1
        if self.bare:
            return web.json_response({"title": "no such route"}, status=404)
        return web.json_response({"coalesced": False}, status=202)

    async def _stats(self, _: web.Request) -> web.Response:
        self.looks += 1
        stats = self.stats()
        return web.json_response({name: stats[name] for name in REQUIRED} if self.bare else stats)

    def stats(self) -> dict[str, Any]:
        """The document of GET /stats."""
        backlog = sum(
            stream.version - (self.rows[id].version if id in self.rows else 0) for id, stream in self.streams.items()
        )
        active = sum(1 for row in self.rows.values() if not row.deleted)
        return {
            "totalEventsProjected": self.projected,
            "totalTodos": len(self.rows),
            "activeTodos": active,
            "eventIdLag": max(self.committed - self.projected, 0),
            "backlog": backlog if self.fault != "forget" else max(self.committed - self.projected, 0),
            "oldestUnprojectedAgeMs": 0,
            "blockedStreams": len(self.blocked),
            "eventCount": self.committed,
            "lastEventInStore": self.committed,
            "lastProjectedEvent": self.projected,
            "serialProjection": self.serial,
            "strategies": ["global-order" if self.serial else "stream-leases"],
            "projectors": [
                {
                    "holder": "fake",
                    "strategy": "global-order" if self.serial else "stream-leases",
                    "alive": True,
                    "leasesHeld": 1,
                    "eventsProjected": self.projected,
                    "batches": self.projected,
                    "claims": self.projected,
                    "takeovers": 0,
                    "duplicates": 0,
                }
            ],
            "lastEventAt": self.last_event_at,
            "lastProjectedAt": self.last_projected_at,
            "blocked": [
                {
                    "scope": "projection" if self.serial else "stream",
                    "stream": id,
                    "version": version,
                    "position": version,
                    "error": "planted",
                }
                for id, version in self.blocked.items()
            ],
        }

    async def _create(self, request: web.Request) -> web.StreamResponse:
        return await self._write(request, f"todo-{uuid.uuid4().hex}", (await request.json())["text"])

    async def _update(self, request: web.Request) -> web.StreamResponse:
        return await self._write(request, request.match_info["id"], (await request.json())["text"])

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        return await self._write(request, request.match_info["id"], None)

    async def _write(self, request: web.Request, id: str, text: str | None) -> web.StreamResponse:
        stream = self.streams.get(id) or Stream()
        if stream.deleted or (stream.version == 0 and request.method != "POST"):
            return web.json_response({"title": "unknown todo"}, status=404)
        self.log.append(f"{request.method} by {(text or self.texts.get(id, '?')).split()[0]}")
        self.texts[id] = text or self.texts.get(id, "?")
        fault = self._strike(request.method)
        if fault == "fail":
            return web.json_response({"title": "planted"}, status=500)
        if fault == "vanish":
            asyncio.get_running_loop().create_task(self.vanish())
        if fault == "garble":
            return web.json_response({"answer": "none of the contract"})
        if fault == "lose":
            return self._answer(request, id, stream.version + 1)
        self._commit(id, stream, text, fault)
        if fault == "drop" and request.transport is not None:
            request.transport.close()
        return self._answer(request, id, stream.version)

    def _strike(self, method: str) -> Fault:
        self.writes += 1
        if self.writes <= SCENE or CONCERNED.get(self.fault, method) != method:
            return "none"
        self.concerned += 1
        return self.fault if (self.concerned - 1) % self.every == 0 else "none"

    def _commit(self, id: str, stream: Stream, text: str | None, fault: Fault) -> None:
        self.streams[id] = stream
        stream.version += 1
        stream.deleted = text is None
        self.committed += 1
        self.looks = 0
        self.last_event_at = datetime.now(UTC).isoformat()
        if fault not in ("hide", "withhold"):
            self.events.append(self.committed, id, stream.version, text, self.last_event_at)
        if fault == "reorder":
            self.events.exchange_last_two(id)
        if fault == "block":
            self.blocked[id] = stream.version
        self.waiting.append((id, stream.version, text, fault))
        late = self.fault == "slow" and self.writes > SCENE
        after_s = CEASED_S if late else self.projected_after_s
        asyncio.get_running_loop().call_later(after_s, self._work, self.committed if late else None)

    def _work(self, newest: int | None) -> None:
        """Project the next event; with `newest` all, unless another was committed since, once `/stats` was looked at.

        A look after the last write and before the convergence begins would otherwise leave it nothing to project.
        """
        if newest is None:
            self._project(*self.waiting.popleft())
        elif newest == self.committed and self.looks < LOOKS:
            asyncio.get_running_loop().call_later(PROJECTED_AFTER_S, self._work, newest)
            return
        while newest == self.committed and self.waiting:
            self._project(*self.waiting.popleft())

    def _project(self, id: str, version: int, text: str | None, fault: Fault) -> None:
        if (self.fault == "stuck" and self.writes > SCENE) or version >= self.blocked.get(id, version + 1):
            return
        now = datetime.now(UTC).isoformat()
        self.projected += 2 if fault == "duplicate" else 1
        self.last_projected_at = now
        row = self.rows.setdefault(id, Row("", 0, now, now))
        if fault == "forget":
            return
        row.version, row.updated_at, row.deleted = version, now, text is None
        row.text = row.text if text is None else text
        row.applied += 2 if fault == "duplicate" else 1
        if fault == "change":
            row.text += " (changed)"
        if fault == "invent":
            self.rows[f"todo-{uuid.uuid4().hex}"] = Row("invented", 1, now, now, applied=1)

    def _answer(self, request: web.Request, id: str, version: int) -> web.Response:
        if request.method == "DELETE" and not self.bare:
            return web.Response(status=204, headers={"ETag": f'"{version}"'})
        body = {"stream": id, "version": version, **({} if self.bare else {"position": version})}
        return web.json_response(body, status=201 if request.method == "POST" else 200)

    async def _get(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        row = self.rows.get(id)
        if row is None or row.deleted:
            return web.json_response({"title": "unknown todo"}, status=404)
        return web.json_response(self._shown(id, row))

    async def _events(self, request: web.Request) -> web.Response:
        if self.bare:
            return web.json_response({"title": "no such route"}, status=404)
        after, limit = int(request.query.get("after", "0")), int(request.query.get("limit", "100"))
        return web.json_response(self.events.page(after, limit))

    async def _page(self, request: web.Request) -> web.Response:
        after, limit = request.query.get("after", ""), int(request.query.get("limit", "100"))
        ids = sorted(id for id, row in self.rows.items() if id > after and not row.deleted)[:limit]
        more = ids[-1] if len(ids) == limit else None
        return web.json_response({"todos": [self._shown(id, self.rows[id]) for id in ids], "next": more})

    def _shown(self, id: str, row: Row) -> dict[str, Any]:
        told = {"id": id, "text": row.text, "version": row.version}
        beside = {"createdAt": row.created_at, "updatedAt": row.updated_at, "applied": row.applied}
        return told if self.bare else {**told, **beside}
