"""`GET /livez`: the process runs. `GET /readyz`: it can serve, or why not."""

from __future__ import annotations

from typing import Final

from litestar import Router, get
from sqlalchemy import text

from eventstore.database import Statement
from eventstore.errors import StoreUnavailable
from eventstore.postgres import Database
from services.api.documents import HealthAnswer
from services.api.openapi import refusals
from services.api.refusals import NotReady

MIGRATED: Final = Statement(
    text("SELECT to_regclass('events') IS NOT NULL AND to_regclass('todos') IS NOT NULL AS migrated")
)


def health_routes(database: Database) -> Router:
    """The routes of the health checks."""

    @get("/livez", summary="The process runs")
    async def livez() -> HealthAnswer:
        """Says nothing of the store: a restart would not bring it back."""
        return HealthAnswer("alive")

    @get("/readyz", responses=refusals(503), summary="The process can serve")
    async def readyz() -> HealthAnswer:
        """Asks the store; the problem's detail is the reason when it is not ready."""
        try:
            (row,) = await database.fetch(MIGRATED)
        except StoreUnavailable as error:
            raise NotReady("the store can not be reached") from error
        if not row["migrated"]:
            raise NotReady("the store is not migrated: run `python -m migrations upgrade`")
        return HealthAnswer("ready")

    return Router("/", route_handlers=[livez, readyz], tags=["operations"])
