"""What the oracle over HTTP does with a target that answers late, cut off, outside of the contract, or not at all."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bench.ends.errors import RunFailed
from bench.oracle.log import contract, verify
from bench.oracle.log.verify import verify_log
from bench.platforms.postgres.cluster import free_port

STATS = {"eventCount": 1, "activeTodos": 1}
EVENT = {"position": 1, "stream": "a", "version": 1, "type": "TodoCreated", "data": {"text": "x"}}
LOG = {"events": [EVENT], "next": None}
TODO = {"id": "a", "text": "x", "version": 1, "applied": 1}
TODOS = {"todos": [TODO], "next": None}


DOCUMENTS = {"stats": STATS, "events": LOG, "todos": TODOS}


def kind(request: web.Request) -> str:
    return request.path.split("/")[1]


def documents(request: web.Request) -> object:
    """As it should be."""
    return DOCUMENTS[kind(request)]


@asynccontextmanager
async def target(**answers: object) -> AsyncIterator[str]:
    """A server that answers each path with one document, a text or a status, or as a function of the request says."""

    async def answer(request: web.Request) -> web.Response:
        found = {**DOCUMENTS, **answers}[kind(request)]
        found = found(request) if callable(found) else found
        if isinstance(found, web.Response):
            return found
        if isinstance(found, int):
            return web.Response(status=found)
        return web.Response(
            text=found if isinstance(found, str) else json.dumps(found), content_type="application/json"
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is away is not waited for long."""
    monkeypatch.setattr(contract, "UNAVAILABLE_S", 0.2)


async def proven(url: str, *, applied: bool = True) -> object:
    return await asyncio.to_thread(verify_log, url, complete=True, applied=applied)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"stats": 503}, "GET /stats was answered with 503"),
        ({"stats": {"eventCount": 1}}, "GET /stats: the answer is not as the contract says: .*`activeTodos`"),
        ({"stats": {**STATS, "eventCount": "1"}}, r"GET /stats: .*Expected `int`, got `str` - at `\$.eventCount`"),
        ({"events": "<html>"}, "GET /events.*: the answer is not as the contract says"),
        ({"events": 302}, "GET /events.* was answered with 302"),
        ({"events": {**LOG, "next": 0}}, r"GET /events.*`int` >= 1 - at `\$.next`"),
        ({"events": {**LOG, "next": 1}}, "GET /events.after=1&limit=1000: `next` is 1, which does not lead on"),
        ({"events": {"events": [], "next": 1}}, "GET /events.after=0&limit=1000: `next` is 1 on an empty page"),
        ({"events": {**LOG, "next": 2}}, "GET /events.after=0&limit=1000: `next` is 2, and the page ends with 1"),
        ({"events": {"events": [{**EVENT, "version": 0}], "next": None}}, r"`\$.events\[0\].version`"),
        ({"todos": {**TODOS, "next": "a"}}, "GET /todos.limit=1000&after=a: `next` is 'a', which does not lead on"),
        ({"todos": {"todos": [], "next": "a"}}, "GET /todos.limit=1000: `next` is 'a' on an empty page"),
        ({"todos": {**TODOS, "next": "b"}}, "GET /todos.limit=1000: `next` is 'b', and the page ends with 'a'"),
        ({"todos": {"todos": [{**TODO, "text": None}], "next": None}}, r"`\$.todos\[0\].text`"),
        ({"todos": {"todos": [{**TODO, "applied": None}], "next": None}}, "todo a has no `applied`, which the target"),
    ],
)
async def test_what_is_outside_of_the_contract_ends_the_proof_with_the_call(
    answers: dict[str, object], said: str
) -> None:
    async with target(**answers) as url:
        with pytest.raises(RunFailed, match=said):
            await proven(url)


@pytest.mark.parametrize("endless", ["events", "todos"])
async def test_pages_without_an_end(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leads on to another, as it should, and there is always another."""
    monkeypatch.setattr(verify, "SPARE", 5)

    def page(request: web.Request) -> object:
        number = int(request.query.get("after") or 0) + 1
        if endless == "events":
            return {"events": [{**EVENT, "position": number, "stream": f"{number}"}], "next": number}
        id = f"{number:09}"
        return {"todos": [{**TODO, "id": id}], "next": id}

    async with target(**{endless: page}) as url:
        with pytest.raises(RunFailed, match=rf"GET /{endless}.*: the pages bring more than can be there"):
            await proven(url)


async def test_a_503_is_waited_out_and_one_that_stays_ends_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr(time, "sleep", paused.append)
    monkeypatch.setattr(contract, "UNAVAILABLE_S", 20.0)
    asked: Counter[str] = Counter()

    def busy_twice(request: web.Request) -> object:
        asked[request.path] += 1
        return (
            web.Response(status=503, headers={"Retry-After": "2"}) if asked[request.path] <= 2 else documents(request)
        )

    async with target(stats=busy_twice, events=busy_twice, todos=busy_twice) as url:
        await proven(url)
    assert paused == [2.0] * 6
    paused.clear()
    async with target(todos=lambda _: web.Response(status=503, headers={"Retry-After": "9" * 400})) as url:
        with pytest.raises(RunFailed, match=r"GET /todos.* was answered with 503"):
            await proven(url)
    assert paused == [contract.LONGEST_PAUSE_S] * 4


async def test_a_target_that_is_as_it_should_be() -> None:
    async with target() as url:
        await proven(url)
    async with target(todos={"todos": [{**TODO, "applied": None}], "next": None}) as url:
        await proven(url, applied=False)


async def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "LARGEST", 40)
    async with target() as url:
        with pytest.raises(RunFailed, match=r"GET /events.*: the answer has more than 40 bytes"):
            await proven(url)


async def test_nobody_there() -> None:
    with pytest.raises(RunFailed, match=r"GET /stats: no answer: .*refused"):
        await proven(f"http://127.0.0.1:{free_port()}")


async def test_an_answer_that_does_not_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "TIMEOUT_S", 0.1)
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    async with silent:
        with pytest.raises(RunFailed, match=r"GET /stats: no answer: .*timed out"):
            await proven(f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}")
