"""The one place where the API is put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.types import Middleware

from eventstore.shards.hash_slots import places
from eventstore.shards.router import routed
from services.api.http import problems
from services.api.http.openapi import openapi_config
from services.api.http.operations import TodoOperations
from services.api.http.requests import MAX_BODY
from services.api.routes.drain import drain_route
from services.api.routes.events import events_route
from services.api.routes.health import health_routes
from services.api.routes.metrics import metrics_route, observe
from services.api.routes.stats import stats_route
from services.api.routes.todos import todo_routes
from services.api.serving.access import Access
from services.api.serving.admission import Admission
from services.api.settings import Settings
from services.api.shards.bulkhead import ways
from services.api.shards.reads import finder, pager
from services.api.shards.shard import Shard, close_all
from todo.handler import TodoHandler

if TYPE_CHECKING:
    from services.tracing import Tracing


def create_asgi(settings: Settings, tracing: Tracing | None = None) -> Access:
    """What the server runs: request ids, metrics and the access log around Litestar, which answers every request.

    Connections open as requests need them, so it starts, and stays, while the store is away. Tracing adds a middleware.
    """
    urls = settings.database_urls
    shards = [Shard(settings, url, place) for url, place in zip(urls, places(len(urls)), strict=True)]
    admission = Admission(settings.latency_max_s, problems.OVERLOADED)
    open = ways(shards, admission)
    todos = TodoOperations(TodoHandler(routed([way.store for way in open])), finder(open), pager(open))

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as closing:
            if tracing is not None:
                closing.push_async_callback(asyncio.to_thread, tracing.close)
            closing.push_async_callback(close_all, shards)
            for shard in shards:
                shard.start()
            yield

    app = Litestar(
        route_handlers=[
            todo_routes(todos),
            events_route([shard.store for shard in shards]),
            stats_route(shards, serial=settings.serial),
            drain_route([shard.drain for shard in shards]),
            health_routes(shards),
            metrics_route(shards, admission),
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


def _middleware(tracing: Tracing | None) -> list[Middleware]:
    if tracing is None:
        return []
    # Imported here and not above, because it imports OpenTelemetry.
    from services.api.serving.tracing import middleware  # noqa: PLC0415

    return [middleware(tracing.provider)]
