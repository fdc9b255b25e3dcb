"""`GET /livez`: the process runs. `GET /readyz`: it can serve, or why not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from litestar import Router, get

from eventstore.errors import StoreUnavailable
from eventstore.soundness.findings import reason
from eventstore.sqlstates import NO_ANSWER, meaning_of, sqlstate_of
from services.api.http.bodies import HealthAnswer
from services.api.http.openapi import refusals
from services.api.reading.single_flight import SingleFlight
from services.api.refusals import NotReady
from services.api.shards.shard import Shard


def health_routes(shards: Sequence[Shard]) -> Router:
    """The routes of the health checks."""
    looks = [SingleFlight(partial(_trouble, shard)) for shard in shards]

    @get("/livez", responses=refusals(), summary="The process runs")
    async def livez() -> HealthAnswer:
        """Says nothing of the store: a restart would not bring it back."""
        return HealthAnswer("alive")

    @get("/readyz", responses=refusals(), summary="The process can serve")
    async def readyz() -> HealthAnswer:
        """Asks the store; the problem's detail is the reason when it is not ready.

        Of several shards one is enough, and is waited for alone: what belongs to it is served, and the rest is refused
        where it is asked for.
        """
        if found := await troubles(looks):
            raise NotReady(" · ".join(found))
        return HealthAnswer("ready")

    return Router("/", route_handlers=[livez, readyz], tags=["operations"])


async def troubles(looks: Sequence[Callable[[], Awaitable[str]]]) -> list[str]:
    """What each look at a shard has found; empty as soon as one finds nothing, however long the others take.

    Those are not broken off, so that no connection is given up for it. Where none finds nothing, the first look that
    failed raises what it failed by.
    """
    if len(looks) == 1:
        return [found] if (found := await looks[0]()) else []
    running = {asyncio.ensure_future(look()) for look in looks}
    ended: list[asyncio.Future[str]] = []
    while running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        ended += done
        if any(one.exception() is None and not one.result() for one in done):
            return []
    return sorted(one.result() for one in ended)


async def _trouble(shard: Shard) -> str:
    """Why this shard can not serve; empty where it can."""
    begin = f"{shard.name}: " if shard.name else ""
    try:
        findings = await shard.watch.look(shard.database)
    except StoreUnavailable as error:
        return f"{begin}the store can not be reached: {_why(error)}"
    return f"{begin}{reason(findings)}" if findings else ""


def _why(error: StoreUnavailable) -> str:
    """Not in the error's own words, which may have an address in them: the log has those."""
    code = sqlstate_of(error)
    return f"{meaning_of(error).why} (SQLSTATE {code})" if code else NO_ANSWER.why
