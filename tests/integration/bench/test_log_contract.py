"""What the oracle over HTTP does with a target that answers late, cut off, outside of the contract, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bench.ends.errors import RunFailed
from bench.oracle.log import contract
from bench.oracle.log.verify import verify_log
from bench.platforms.postgres.cluster import free_port

STATS = {"eventCount": 1, "activeTodos": 1}
EVENT = {"position": 1, "stream": "a", "version": 1, "type": "TodoCreated", "data": {"text": "x"}}
LOG = {"events": [EVENT], "next": None}
TODO = {"id": "a", "text": "x", "version": 1, "applied": 1}
TODOS = {"todos": [TODO], "next": None}


@asynccontextmanager
async def target(**answers: object) -> AsyncIterator[str]:
    """A server that answers each path with one document, or with the text or the status that is given."""

    async def answer(request: web.Request) -> web.Response:
        found = {"stats": STATS, "events": LOG, "todos": TODOS, **answers}[request.path.split("/")[1]]
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
        ({"events": {"events": [], "next": 1}}, "GET /events.after=1&limit=1000: `next` is 1, which does not lead on"),
        ({"events": {"events": [{**EVENT, "version": 0}], "next": None}}, r"`\$.events\[0\].version`"),
        ({"todos": {**TODOS, "next": "a"}}, "GET /todos.limit=1000&after=a: `next` is 'a', which does not lead on"),
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
