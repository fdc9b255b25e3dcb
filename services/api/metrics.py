"""Prometheus metrics of the API. With several processes, each answer covers all of them.

`PROMETHEUS_MULTIPROC_DIR`, set by `__main__` before the workers start, is where the processes keep their values.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Final

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})

_SECONDS: Final = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


@lru_cache(1024)
def _child(method: str, route: str, status: int) -> Histogram:
    return _SECONDS.labels(method if method in _METHODS else "other", route, status)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. Status 0 is a request that got no answer."""
    _child(method, route, status).observe(seconds)


@get("/metrics", media_type="text/plain", sync_to_thread=True, summary="Metrics of all API processes, for Prometheus")
def metrics() -> Response[bytes]:
    """Metrics in Prometheus's text format."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get(MULTIPROCESS_DIR):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
