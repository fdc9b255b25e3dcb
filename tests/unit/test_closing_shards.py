"""Everything of every shard is closed, whatever becomes of one part."""

from __future__ import annotations

import asyncio

import pytest

from eventstore.errors import StoreUnavailable
from eventstore.shards.hash_slots import places
from services.api.settings import Settings
from services.api.shards.shard import Shard, close_all

URL = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize("part", ["watch", "store", "notifier"])
async def test_a_part_that_can_not_be_closed_keeps_nothing_open(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = [Shard(Settings(URL), URL, place) for place in places(2)]

    async def broken() -> None:
        raise RuntimeError("broken")

    async def long() -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    monkeypatch.setattr(getattr(shards[0], part), "close", broken)
    monkeypatch.setattr(shards[1].watch, "close", long)
    with pytest.raises(RuntimeError, match="broken"):
        await close_all(shards)
    for shard in shards:
        with pytest.raises(StoreUnavailable, match="is closed"):
            await shard.database.start()
