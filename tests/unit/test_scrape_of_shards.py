"""A scrape waits for no shard longer than its bound, and tells the figures of those that answer."""

from __future__ import annotations

import asyncio

import pytest

from eventstore.errors import StoreUnavailable
from eventstore.postgres import Database
from eventstore.shards.hash_slots import places
from eventstore.visibility.holders import Holders
from projection.stats import Stats
from services.api.routes import metrics
from services.api.serving.admission import Admission
from services.api.settings import Settings
from services.api.shards.shard import Shard
from tests.unit.test_projection_metrics import HOLDERS, STATS

URL = "postgresql://nobody@127.0.0.1:1/nothing"
SCRAPE_TIMEOUT_S = 10.0
"""What Prometheus gives a scrape by default."""


async def test_the_figures_of_those_that_answer_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    shards = [Shard(Settings(URL), URL, place) for place in places(3)]
    well, away, silent = (shard.database for shard in shards)
    never = asyncio.Event()
    ended: list[Database] = []

    async def read_stats(database: Database) -> Stats:
        try:
            if database is silent:
                await never.wait()
        finally:
            ended.append(database)
        if database is away:
            raise StoreUnavailable("away")
        return STATS

    async def read_holders(_: Database) -> Holders:
        return HOLDERS

    monkeypatch.setattr(metrics, "read_stats", read_stats)
    monkeypatch.setattr(metrics, "read_holders", read_holders)
    monkeypatch.setattr(metrics, "ANSWER_S", 0.5)
    route = metrics.metrics_route(shards, Admission(1.0, b""))
    async with asyncio.timeout(SCRAPE_TIMEOUT_S):
        text = (await route.fn()).content.decode()
    up = [line for line in text.splitlines() if line.startswith("tidemark_store_up")]
    assert up == [f'tidemark_store_up{{shard="{number}"}} {float(number == 0)}' for number in range(3)]
    assert 'tidemark_events{shard="0"} 9.0' in text
    # The silent one was not broken off, which would cost a connection.
    assert ended == [well, away]
    never.set()


def test_a_scrape_is_shorter_than_prometheus_waits() -> None:
    assert metrics.ANSWER_S < SCRAPE_TIMEOUT_S / 2
