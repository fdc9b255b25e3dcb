"""`python -m targets.crud.api`: the API on one plain table, put together as tidemark's is.

The same routes, framework, server, middleware, refusals, pool and driver (`services.api`); behind them a row instead of
events and their projection. CRUD_COMMITS: `each` (default) commits each request by itself, `grouped` lets concurrent
ones share a statement and its commit.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import structlog
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from eventstore.errors import StoreUnavailable
from eventstore.postgres import Database
from services import gc_policy
from services.api.http import problems
from services.api.http.bodies import HealthAnswer
from services.api.http.requests import MAX_BODY
from services.api.reading.single_flight import SingleFlight
from services.api.refusals import NotReady
from services.api.routes.metrics import observe
from services.api.routes.todos import todo_routes
from services.api.serving.access import Access
from services.api.serving.admission import Admission
from services.api.settings import Settings
from services.logs import set_up
from settings import Environment
from targets.crud.counted import CountedTodos
from targets.crud.grouped import GroupedTable
from targets.crud.operations import RowOperations
from targets.crud.table import Table, Todos
from targets.documents import Stats
from targets.serving import start

log = structlog.get_logger()

GROUPED: Final = "grouped"
COMMITS: Final = "CRUD_COMMITS"


def create_asgi(settings: Settings, commits: str) -> Access:
    """What the server runs: Litestar answers every request; it starts, and stays, while the database is away."""
    database = Database(
        settings.database_url, pool_size=settings.pool_size, application_name="crud api", bounds=settings.bounds
    )
    table = Table(database)
    todos: Todos = GroupedTable(table) if commits == GROUPED else table
    if settings.processes == 1:
        todos = CountedTodos(todos)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await database.close()

    app = Litestar(
        route_handlers=[todo_routes(RowOperations(todos)), _stats(todos), _ready(todos)],
        lifespan=[lifespan],
        exception_handlers=problems.HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    admission = Admission(settings.latency_max_s, problems.OVERLOADED)
    return Access(app, observe, admission, verbose=settings.log_level == "debug")


def _stats(todos: Todos) -> HTTPRouteHandler:
    async def read() -> Stats:
        counts = await todos.counts()
        return Stats.of(counts.writes, counts.created, counts.created - counts.deleted)

    shared = SingleFlight(read)

    @get("/stats")
    async def stats() -> Stats:
        """Concurrent calls share one query, which begins after the last of them came."""
        return await shared()

    return stats


def _ready(todos: Todos) -> HTTPRouteHandler:
    @get("/readyz")
    async def readyz() -> HealthAnswer:
        """Asks the table; the problem's detail is the reason when it can not be used."""
        try:
            await todos.check()
        except StoreUnavailable as error:
            # Its own words, which may have an address in them, go to the log alone.
            log.warning("not ready", error=str(error))
            raise NotReady("the database can not be reached; the log says why") from error
        return HealthAnswer("ready")

    return readyz


def application() -> ASGIApp:
    """What each worker process of the server loads."""
    settings, commits = read(os.environ)
    set_up(settings.log_level, "crud")
    made = create_asgi(settings, commits)
    gc_policy.run_rarely()
    return made


def read(variables: Mapping[str, str]) -> tuple[Settings, str]:
    """The API's own settings, and how requests are committed. Raises SettingError."""
    commits = Environment(variables).choice(COMMITS, "each", ("each", GROUPED))
    return Settings.from_env(variables), commits


if __name__ == "__main__":
    sys.exit(start(read, "targets.crud.api:application"))
