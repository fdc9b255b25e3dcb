"""A network that falls silent without closing anything: the projector goes on by itself, in every strategy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import Network, silence
from eventstore.connection.bounds import Bounds
from projection.ordering.global_order import GlobalOrder
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from services import health
from tests.integration.projector.stage import UPDATED, Make, Projector, Stage, life, until

SHORT = Bounds(statement=0.5, connect=0.5, silence=0.5)
MAKES = pytest.mark.parametrize("make", [StreamLocks, StreamLeases, GlobalOrder])


@asynccontextmanager
async def lone(stage: Stage, relay: Relay, make: Make, **options: Any) -> AsyncIterator[Projector]:
    """The only projector, behind the relay; it has worked already."""
    usual = {"lease": timedelta(seconds=0.5), "bounds": SHORT, "heartbeat": 0.2, "serial": make is GlobalOrder}
    async with replace(stage, url=relay.url).projector(make=make, **{**usual, **options}) as projector:
        await stage.append("todo-0", *life("a", "b"))
        await until(stage.projected, "it to be at work")
        yield projector


@MAKES
@pytest.mark.parametrize("fresh", [False, True], ids=["those there", "new ones too"])
@pytest.mark.parametrize(("up", "down"), [(True, True), (True, False), (False, True)])
async def test_it_goes_on_after_a_silence(stage: Stage, make: Make, fresh: bool, up: bool, down: bool) -> None:
    async with Relay.before(stage.url) as relay, lone(stage, relay, make):
        before = relay.accepted
        relay.change(silence(up=up, down=down, fresh=fresh))
        await stage.append("todo-0", UPDATED)
        await stage.append("todo-1", *life("a", "b"))
        if fresh:
            await until(lambda: more_than(relay, before + 1), "it to try to connect")
            relay.change(Network())
        await until(stage.projected, "all events to be projected")
        await until(lambda: more_than(relay, before), "it to connect anew")
    await stage.assert_right(serial=make is GlobalOrder)


async def more_than(relay: Relay, times: int) -> bool:
    return relay.accepted > times


@MAKES
async def test_a_silence_in_mid_statement_takes_effect_once(stage: Stage, make: Make) -> None:
    async with Relay.before(stage.url) as relay, lone(stage, relay, make, lease=timedelta(seconds=5)):
        async with stage.batches_held_back():
            await stage.append("todo-1", *life("a", "b", "c"))
            await until(lambda: held_back(stage), "a batch to be under way")
            relay.change(silence(fresh=False))
        await until(stage.projected, "all events to be projected")
    await stage.assert_right(serial=make is GlobalOrder)


async def held_back(stage: Stage) -> bool:
    return bool(await stage.value("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def test_a_projector_says_that_it_is_deaf(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "health"
    async with Relay.before(stage.url) as relay, lone(stage, relay, StreamLocks, health_file=file):
        await until(lambda: said(file, ""), "it to hear")
        relay.change(silence())
        await until(lambda: said(file, "notifications are not heard"), "it to say that it is deaf")
        relay.change(Network())
        await until(lambda: said(file, ""), "it to hear again")


async def said(file: Path, wanted: str) -> bool:
    if not await asyncio.to_thread(file.exists):
        return False
    return health.note(file).startswith(wanted) if wanted else health.note(file) == ""
