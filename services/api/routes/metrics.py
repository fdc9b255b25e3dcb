"""Prometheus metrics of the API, and `/metrics`. With several processes, each answer covers all of them.

`PROMETHEUS_MULTIPROC_DIR`, set by `__main__` before workers start, is where several processes keep their values. Each
writes them there in batches, as one at a time costs three times as much: what the process that answers has served is
in the answer, what another one has served is there after `LAG_S` at the latest, unless that one was killed meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Final

import asyncpg
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from eventstore.append.statements import Name
from eventstore.errors import StoreError
from eventstore.postgres import Database
from eventstore.visibility.holders import Holders, read_holders
from projection.stats import Stats, read_stats
from services.api.http.openapi import refusals
from services.api.reading.single_flight import SingleFlight
from services.api.routes.projection_metrics import of_a_store, of_this_process, told
from services.api.serving.admission import Admission
from services.api.shards import sums
from services.api.shards.shard import Shard, of_those_in_time

MULTIPROCESS_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"

LAG_S: Final = 0.5
"""How long a process keeps what it counted to itself, in seconds."""

ANSWER_S: Final = 3.0
"""How long a scrape waits for the figures of a store, in seconds: a third of the time that Prometheus gives it."""

_MOST: Final = 100
"""Requests in one batch at most: a fifth of a millisecond of work."""

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})

# Several processes together have no such moments.
disable_created_metrics()  # type: ignore[no-untyped-call]

SERVED: Final = CollectorRegistry()
"""What one process tells: the same series as several."""

_SECONDS: Final = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=SERVED,
)

_observed: Final[list[tuple[str, str, int, float]]] = []


@lru_cache(1024)
def _child(method: str, route: str, status: int) -> Histogram:
    return _SECONDS.labels(method if method in _METHODS else "other", route, status)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. Status 0 is a request that got no answer. To be called in the event loop."""
    _observed.append((method, route, status, seconds))
    if len(_observed) == 1:
        asyncio.get_running_loop().call_later(LAG_S, _flush)
    elif len(_observed) >= _MOST:
        _flush()


def _flush() -> None:
    for method, route, status, seconds in _observed:
        _child(method, route, status).observe(seconds)
    _observed.clear()


def metrics_route(shards: Sequence[Shard], admission: Admission) -> HTTPRouteHandler:
    """The route of `/metrics`: what all API processes served, and what the stores and the projectors tell."""
    reads = [SingleFlight(partial(_read, shard.database)) for shard in shards]

    async def read() -> bytes:
        figures = await of_those_in_time(reads, ANSWER_S)
        stores = [
            of_a_store(*(found or _NONE), len(shard.watch.findings))
            for shard, found in zip(shards, figures, strict=True)
        ]
        usage = sums.of_usage([shard.database.usage for shard in shards])
        appends: Counter[Name] = sum((Counter(shard.store.statements) for shard in shards), Counter())
        return told(stores, of_this_process(usage, appends, admission))

    @get(
        "/metrics",
        media_type="text/plain",
        responses=refusals(),
        summary="Metrics of API, store and projectors, for Prometheus",
    )
    async def metrics() -> Response[bytes]:
        """Metrics in Prometheus's text format, also while a store is away or silent."""
        _flush()
        return Response(await asyncio.to_thread(_text) + await read(), media_type=CONTENT_TYPE_LATEST)

    return metrics


_Figures = tuple[Stats | None, Holders | None]
_NONE: Final[_Figures] = (None, None)


async def _read(database: Database) -> _Figures:
    stats = holders = None
    with contextlib.suppress(StoreError, asyncpg.PostgresError):
        stats = await read_stats(database)
        holders = await read_holders(database)
    return stats, holders


def _text() -> bytes:
    registry = SERVED
    if os.environ.get(MULTIPROCESS_DIR):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
