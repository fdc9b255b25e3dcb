"""`POST /drain`: wake the projectors now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from litestar import post
from litestar.handlers import HTTPRouteHandler

from services.api.http.bodies import DrainAnswer
from services.api.http.openapi import refusals
from services.api.shards.drain import Drain


def drain_route(drains: Sequence[Drain]) -> HTTPRouteHandler:
    """The route of `/drain`, which wakes the projectors of all shards."""

    @post("/drain", status_code=202, responses=refusals(), tags=["operations"], summary="Wake the projectors now")
    async def wake() -> DrainAnswer:
        """Debounced; says whether the call was coalesced with another."""
        return DrainAnswer(accepted=True, coalesced=all(await asyncio.gather(*(drain.ask() for drain in drains))))

    return wake
