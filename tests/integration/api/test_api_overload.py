"""Past capacity: what is too much is refused at once with 503 and Retry-After, and leaves no event; the rest is served.

A lock on the log keeps every append waiting, so that more requests are under way than are ever answered in time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.api.serving.admission import MOST, least
from tests.cluster import Cluster
from tests.integration.api.server import ApiServer, serve

BODY = b'{"text":"bread"}'
CREATE = b"POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n" + BODY
READ = b"GET /todos HTTP/1.1\r\nHost: a\r\n\r\n"
PATIENCE_S = 30.0
BOUND_MS = 200
LEAST = least(BOUND_MS / 1000)


@dataclass
class Caller:
    """A connection that is kept, by its bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, body

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send, and wait for the answer."""
        self.writer.write(request)
        return await self.answer()


async def callers(api: ApiServer, count: int) -> list[Caller]:
    url = api.client.base_url
    return [Caller(*await asyncio.open_connection(url.host, url.port)) for _ in range(count)]


def figure(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    (found,) = (one.value for one in samples if one.name == name and labels.items() <= one.labels.items())
    return found


@dataclass
class Overloaded:
    """An API with as many creates under way as are never too many and one more, which wait for a lock."""

    api: ApiServer
    url: str
    waiting: list[Caller]
    holder: asyncpg.Connection

    async def until_full(self) -> None:
        """Wait until it refuses."""
        (caller,) = await callers(self.api, 1)
        async with asyncio.timeout(PATIENCE_S):
            while (await caller.ask(READ))[0] != 503:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        caller.writer.close()

    async def events(self) -> int:
        """How many there are."""
        return int(await self.holder.fetchval("SELECT count(*) FROM events"))


@asynccontextmanager
async def overloaded(cluster: Cluster, folder: Path) -> AsyncIterator[Overloaded]:
    async with cluster.database() as url:
        serving = serve(url, folder, API_LATENCY_MAX_MS=str(BOUND_MS), STORE_TIMEOUT_MS="60000")
        api = await asyncio.to_thread(serving.__enter__)
        holder = await asyncpg.connect(url)
        try:
            await holder.execute("BEGIN; LOCK TABLE events IN SHARE MODE")
            waiting = await callers(api, LEAST + 1)
            for caller in waiting:
                caller.writer.write(CREATE)
            yield Overloaded(api, url, waiting, holder)
        finally:
            await holder.close()
            await asyncio.to_thread(serving.__exit__, None, None, None)


async def get(api: ApiServer, path: str) -> httpx.Response:
    return await asyncio.to_thread(api.client.get, path)


async def limit(api: ApiServer) -> float:
    return figure((await get(api, "/metrics")).text, "tidemark_api_requests", state="limit")


@pytest.fixture(scope="module")
def found(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All that is seen of one overload, since it takes hundreds of connections."""
    return asyncio.run(look(cluster, tmp_path_factory.mktemp("overload")))


async def look(cluster: Cluster, folder: Path) -> dict[str, Any]:
    async with overloaded(cluster, folder) as it:
        await it.until_full()
        told: dict[str, Any] = {"refused": [await (await callers(it.api, 1))[0].ask(CREATE) for _ in range(3)]}
        (caller,) = await callers(it.api, 1)
        # Its body comes later, and further requests on the same connection.
        caller.writer.write(CREATE[: -len(BODY)])
        told["body later"] = [(await caller.answer())[0]]
        told["body later"].append((await caller.ask(BODY + b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"))[0])
        told["body later"].append((await caller.ask(READ))[0])
        # Sent ahead, in one packet.
        told["ahead"] = [(await caller.ask(CREATE * 3))[0], (await caller.answer())[0], (await caller.answer())[0]]
        told["close"] = await caller.ask(READ.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        told["closed"] = await caller.reader.read()
        told["spared"] = {path: (await get(it.api, path)).status_code for path in ("/livez", "/readyz", "/stats")}
        told["metrics"] = (await get(it.api, "/metrics")).text
        told["events while"] = await it.events()
        await it.holder.execute("ROLLBACK")
        told["served"] = [(await caller.answer())[0] for caller in it.waiting]
        async with asyncio.timeout(PATIENCE_S):
            while await limit(it.api) != MOST:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        told["again"] = (await asyncio.to_thread(it.api.client.post, "/todos", json={"text": "milk"})).status_code
        told["events"] = await it.events()
        told["log"] = it.api.log.read_text(encoding="utf-8")
    return told


def test_what_is_too_much_is_refused_with_a_problem_and_told_when_to_try_again(found: dict[str, Any]) -> None:
    for status, headers, body in found["refused"]:
        assert (status, headers["retry-after"], headers["content-type"]) == (503, "1", "application/problem+json")
        problem = json.loads(body)
        assert (problem["status"], problem["type"]) == (503, "tag:tidemark,2026:overloaded")
        assert problem["title"]
        assert "Nothing was written" in problem["detail"]


def test_a_refusal_is_of_one_request_and_the_connection_serves_the_next(found: dict[str, Any]) -> None:
    assert found["body later"] == [503, 200, 503]
    assert found["ahead"] == [503, 503, 503]
    assert (found["close"][0], found["closed"]) == (503, b"")


def test_health_and_statistics_are_always_answered(found: dict[str, Any]) -> None:
    assert found["spared"] == {"/livez": 200, "/readyz": 200, "/stats": 200}


def test_what_was_refused_left_no_event_and_what_was_admitted_was_served(found: dict[str, Any]) -> None:
    assert found["served"] == [201] * (LEAST + 1)
    assert found["again"] == 201
    assert (found["events while"], found["events"]) == (0, LEAST + 2)


def test_it_is_counted_and_told(found: dict[str, Any]) -> None:
    assert figure(found["metrics"], "tidemark_api_requests", state="limit") == LEAST
    assert figure(found["metrics"], "tidemark_api_requests", state="under_way") > LEAST
    # Three, one, one after its body, three sent ahead, one that closed, and at least one until it was full.
    assert figure(found["metrics"], "tidemark_api_requests_shed_total") >= 10
    assert "overloaded: requests are refused" in found["log"]
