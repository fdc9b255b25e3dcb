"""What is observed is told: at once by the process itself, and soon to all others."""

from __future__ import annotations

import asyncio

import pytest

from eventstore.shards.hash_slots import Place
from services.api.routes import metrics
from services.api.serving.admission import Admission
from services.api.settings import Settings
from services.api.shards.shard import Shard

BOUND_S = 10.0


def told(route: str, what: str = "count") -> float | None:
    """What the other processes can see."""
    labels = {"method": "GET", "route": route, "status": "200"}
    return metrics.SERVED.get_sample_value(f"http_request_duration_seconds_{what}", labels)


def observe(route: str, times: int = 1) -> None:
    for _ in range(times):
        metrics.observe("GET", route, 200, 0.25)


async def answer() -> str:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    route = metrics.metrics_route([Shard(Settings(url), url, Place())], Admission(1.0, b""))
    text: bytes = (await route.fn()).content
    return text.decode()


@pytest.fixture(autouse=True)
async def nothing_kept_back() -> None:
    """What other tests of this process observed is told."""
    await answer()


async def test_the_others_are_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LAG_S", 0.01)
    for count in (2, 4):
        observe("/soon", 2)
        async with asyncio.timeout(BOUND_S):
            while told("/soon") != count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert told("/soon", "sum") == 1.0


async def test_a_busy_process_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LAG_S", 3600)
    observe("/busy", 250)
    assert told("/busy") == 200
    assert 'route="/busy",status="200"} 250.0' in await answer()
    assert told("/busy") == 250
