"""One of two shards is away when a process starts: what serves both begins with the other, and says so."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from eventstore.connection.database import Database
from eventstore.errors import StoreUnavailable
from eventstore.shards.hash_slots import places
from services.api.__main__ import reach_stores
from services.api.settings import Settings
from services.projector import __main__ as program
from services.projector import commands
from services.projector.process.opening import opened
from tests.cluster import Cluster

AWAY = "postgresql://nobody:secret@127.0.0.1:1/nothing"


@pytest.fixture
async def url(cluster: Cluster) -> AsyncIterator[str]:
    """A store that answers."""
    async with cluster.database(migrated=False) as made:
        yield made


async def test_the_api_starts_and_tells_which(url: str) -> None:
    for urls, name in ((url, AWAY), "shard 1 of 2"), ((AWAY, url), "shard 0 of 2"):
        (noted,) = await reach_stores(Settings(urls[0], further_urls=urls[1:]))
        assert noted.startswith(f"DATABASE_URLS: {name} can not be reached")
    for alone in ((AWAY,), (AWAY, f"{AWAY}-2")):
        with pytest.raises(StoreUnavailable):
            await reach_stores(Settings(alone[0], further_urls=alone[1:]))


async def open_all(urls: tuple[str, ...], *, once: bool = False) -> list[object]:
    every = [(Database(one, pool_size=1), place) for one, place in zip(urls, places(len(urls)), strict=True)]
    async with AsyncExitStack() as stack:
        return list(await opened(every, stack, listen_url=None, once=once))


async def test_a_projector_starts_and_a_job_does_not(url: str) -> None:
    assert await open_all((AWAY, url)) == [None, None]
    for urls, once in ((AWAY,), False), ((AWAY, f"{AWAY}-2"), False), ((url, AWAY), True):
        with pytest.raises(StoreUnavailable):
            await open_all(urls, once=once)


def test_a_command_names_the_shard_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URLS", f"{AWAY} {AWAY}-2")
    monkeypatch.setattr("sys.argv", ["projector", "recount"])
    # Logs of this process go on as they are.
    monkeypatch.setattr(program, "set_up", lambda *_: None)
    assert program.main() == 2
    told = capsys.readouterr().err
    assert "recount: shard 0 of 2 can not be reached" in told
    assert "with --shard 0, and then each after it (up to --shard 1)" in told
    assert "secret" not in told


async def test_a_signal_between_two_shards_is_not_swallowed(url: str) -> None:
    """A command's own handling ends with its work on one shard: what comes after it ends the process."""
    arguments = argparse.Namespace(command="unblock", stream="no-such", timeout=5.0, json=False)
    async with Database(url, pool_size=1) as database:
        with pytest.raises(asyncpg.UndefinedTableError):
            await commands.operate(database, ["todos"], arguments)
    loop = asyncio.get_running_loop()
    assert [number for number in commands.ENDED_BY if loop.remove_signal_handler(number)] == []
