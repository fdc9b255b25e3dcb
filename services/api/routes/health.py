"""`GET /livez`: the process runs. `GET /readyz`: it can serve, or why not."""

from __future__ import annotations

from litestar import Router, get

from eventstore.errors import StoreUnavailable
from eventstore.postgres import Database
from eventstore.soundness.findings import reason
from eventstore.soundness.watch import Watch
from eventstore.sqlstates import NO_ANSWER, meaning_of, sqlstate_of
from services.api.http.bodies import HealthAnswer
from services.api.http.openapi import refusals
from services.api.refusals import NotReady


def health_routes(database: Database, watch: Watch) -> Router:
    """The routes of the health checks."""

    @get("/livez", responses=refusals(), summary="The process runs")
    async def livez() -> HealthAnswer:
        """Says nothing of the store: a restart would not bring it back."""
        return HealthAnswer("alive")

    @get("/readyz", responses=refusals(), summary="The process can serve")
    async def readyz() -> HealthAnswer:
        """Asks the store; the problem's detail is the reason when it is not ready."""
        try:
            findings = await watch.look(database)
        except StoreUnavailable as error:
            raise NotReady(f"the store can not be reached: {_why(error)}") from error
        if findings:
            raise NotReady(reason(findings))
        return HealthAnswer("ready")

    return Router("/", route_handlers=[livez, readyz], tags=["operations"])


def _why(error: StoreUnavailable) -> str:
    """Not in the error's own words, which may have an address in them: the log has those."""
    code = sqlstate_of(error)
    return f"{meaning_of(error).why} (SQLSTATE {code})" if code else NO_ANSWER.why
