"""The API behind a network that falls silent without closing anything: one refusal a caller, and then answers again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import Network, Way, silence
from tests.cluster import Cluster
from tests.integration.api.server import serve

SIZE = 8
BOUNDS = {"STORE_TIMEOUT_MS": "1500", "STORE_CONNECT_TIMEOUT_MS": "1500", "API_POOL_SIZE": str(SIZE)}


@asynccontextmanager
async def idle_api(relay: Relay, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API whose connections have all been used, and are idle."""
    serving = serve(relay.url, folder, **BOUNDS)
    # In a thread, because it waits, and the relay is to work meanwhile.
    api = await asyncio.to_thread(serving.__enter__)
    try:
        async with httpx.AsyncClient(base_url=api.client.base_url, timeout=20) as client:
            relay.change(Network(Way(latency_ms=30), Way(latency_ms=30)))
            while len(relay.connections) < SIZE:
                await asyncio.gather(*(client.get("/todos") for _ in range(3 * SIZE)))
            relay.change(Network())
            yield client
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


@pytest.mark.parametrize("heals", [True, False], ids=["for a second", "for good"])
async def test_one_caller_gets_one_refusal(cluster: Cluster, tmp_path: Path, heals: bool) -> None:
    async with cluster.database() as url, Relay.before(url) as relay, idle_api(relay, tmp_path) as client:
        relay.change(silence(fresh=False))
        refused = asyncio.create_task(client.get("/todos"))
        if heals:
            await asyncio.sleep(0.5)
            relay.change(Network())
        assert (await refused).status_code == 503

        answers = [await client.get("/todos") for _ in range(2 * SIZE)]
        assert [answer.status_code for answer in answers] == [200] * 2 * SIZE
        assert (await client.post("/todos", json={"text": "milk"})).status_code == 201


async def test_while_nothing_answers_each_caller_gets_one_refusal(cluster: Cluster, tmp_path: Path) -> None:
    async with cluster.database() as url, Relay.before(url) as relay, idle_api(relay, tmp_path) as client:
        relay.change(silence())
        for path in ("/todos", "/readyz", "/stats"):
            assert (await client.get(path)).status_code == 503
        relay.change(Network())
        assert (await client.get("/readyz")).status_code == 200
