"""`GET /livez`: the process runs. `GET /readyz`: it can serve, or why not."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Router, get

from eventstore.errors import StoreUnavailable
from eventstore.soundness.findings import reason
from eventstore.sqlstates import NO_ANSWER, meaning_of, sqlstate_of
from services.api.http.bodies import HealthAnswer
from services.api.http.openapi import refusals
from services.api.refusals import NotReady
from services.api.shards.shard import Shard, of_each


def health_routes(shards: Sequence[Shard]) -> Router:
    """The routes of the health checks."""

    @get("/livez", responses=refusals(), summary="The process runs")
    async def livez() -> HealthAnswer:
        """Says nothing of the store: a restart would not bring it back."""
        return HealthAnswer("alive")

    @get("/readyz", responses=refusals(), summary="The process can serve")
    async def readyz() -> HealthAnswer:
        """Asks the store; the problem's detail is the reason when it is not ready.

        Of several shards one is enough: what belongs to it is served, and the rest is refused where it is asked for.
        """
        troubles = await of_each(shards, _trouble)
        if all(troubles):
            raise NotReady(" · ".join(troubles))
        return HealthAnswer("ready")

    return Router("/", route_handlers=[livez, readyz], tags=["operations"])


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
