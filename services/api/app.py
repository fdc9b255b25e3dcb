"""The one place where the API is put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog
from litestar import Litestar
from litestar.types import Middleware

from eventstore.connection.rate_limit import BURST
from eventstore.connection.wakeup import Notifier
from eventstore.postgres import Database, PostgresEventStore
from eventstore.soundness.check import Check
from eventstore.soundness.rights import API
from eventstore.soundness.watch import Watch
from services.api.http import problems
from services.api.http.openapi import openapi_config
from services.api.http.operations import TodoOperations
from services.api.http.requests import MAX_BODY
from services.api.routes.drain import Drain, drain_route
from services.api.routes.events import events_route
from services.api.routes.health import health_routes
from services.api.routes.metrics import metrics_route, observe
from services.api.routes.stats import stats_route
from services.api.routes.todos import todo_routes
from services.api.serving.access import Access
from services.api.serving.admission import Admission
from services.api.settings import Settings
from todo.handler import TodoHandler
from todo.read_models.todos import READ_MODEL

if TYPE_CHECKING:
    from services.tracing import Tracing

log = structlog.get_logger()

SLACK_S: Final = 0.002
"""How long the hint for the projectors waits for an append that takes it along."""


def create_asgi(settings: Settings, tracing: Tracing | None = None) -> Access:
    """What the server runs: request ids, metrics and the access log around Litestar, which answers every request.

    Connections open as requests need them, so it starts, and stays, while the store is away. Tracing adds a middleware.
    """
    watch = Watch(Check({**API, **READ_MODEL.read}), _told)
    database = Database(
        settings.database_url,
        pool_size=settings.pool_size,
        application_name="api",
        bounds=settings.bounds,
        greet=watch.greet,
    )
    notifier = Notifier(database, burst=BURST, slack=SLACK_S)
    store = PostgresEventStore(database, notifier=notifier, gate=watch.refuse)
    drain = Drain(database)
    todos = TodoOperations(TodoHandler(store), database)
    admission = Admission(settings.latency_max_s, problems.OVERLOADED)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        watch.start(database)
        try:
            yield
        finally:
            await watch.close()
            await store.close()
            await drain.close()
            await notifier.close()
            await database.close()
            if tracing is not None:
                await asyncio.to_thread(tracing.close)

    app = Litestar(
        route_handlers=[
            todo_routes(todos),
            events_route(store),
            stats_route(database, watch, serial=settings.serial),
            drain_route(drain),
            health_routes(database, watch),
            metrics_route(database, watch, store.statements, admission),
        ],
        lifespan=[lifespan],
        middleware=_middleware(tracing),
        exception_handlers=problems.HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=openapi_config(),
        logging_config=None,
        debug=False,
    )
    return Access(app, observe, admission, verbose=settings.log_level == "debug")


def _told(reason: str) -> None:
    if reason:
        log.warning("store unsound: writes are refused", reason=reason)
    else:
        log.info("store sound again")


def _middleware(tracing: Tracing | None) -> list[Middleware]:
    if tracing is None:
        return []
    # Imported here and not above, because it imports OpenTelemetry.
    from services.api.serving.tracing import middleware  # noqa: PLC0415

    return [middleware(tracing.provider)]
