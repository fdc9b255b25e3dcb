"""What a system that somebody else runs is seen to offer: questions that change nothing, and no guess."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bench.platforms.targets.offered import offered
from tests.fakes.todo_server import FakeTodoServer

LOOKS = 10_000


async def preloaded(server: FakeTodoServer) -> None:
    """Three todos that a read shows."""
    server.preload(3)
    for _ in range(LOOKS):
        if server.projected == server.committed:
            return
        await asyncio.sleep(server.projected_after_s)
    pytest.fail(f"{server.projected} of {server.committed} events are projected")


async def test_what_answers_as_the_contract_says_is_offered() -> None:
    async with FakeTodoServer() as server:
        await preloaded(server)
        committed = server.committed
        assert await asyncio.to_thread(offered, server.base_url) == ("events", "drain", "applied", "leases")
        assert server.committed == committed


async def test_the_required_parts_alone_offer_nothing() -> None:
    async with FakeTodoServer(bare=True) as server:
        await preloaded(server)
        assert await asyncio.to_thread(offered, server.base_url) == ()


async def test_where_nobody_answers_nothing_is_offered() -> None:
    async with FakeTodoServer() as server:
        await server.vanish()
        assert await asyncio.to_thread(offered, server.base_url) == ()


async def test_a_503_says_neither_yes_nor_no_and_is_asked_again() -> None:
    refused: set[str] = set()

    @web.middleware
    async def before(request: web.Request, handler: Any) -> Any:
        if request.path in refused:
            return await handler(request)
        refused.add(request.path)
        return web.Response(status=503)

    async with FakeTodoServer(before=[before]) as server:
        server.preload(1)
        await asyncio.sleep(0.1)
        refused.add("/stats")
        found = await asyncio.to_thread(offered, server.base_url)
    assert found == ("events", "drain", "applied", "leases")
