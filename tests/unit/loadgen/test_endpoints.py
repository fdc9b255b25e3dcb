"""The rows of each endpoint: counts, failures by reason, latencies, buckets."""

from __future__ import annotations

import errno
import os

import pytest

from metrics.catalogue import ABOVE, BUCKETS_MS, ENDPOINT, FAILURE, bucket
from services.loadgen.measure.causes import reason
from services.loadgen.measure.endpoints import Endpoints
from services.loadgen.workload.http.answers import BadAnswer


def test_requests_are_told_by_endpoint_and_outcome() -> None:
    endpoints = Endpoints()
    for milliseconds in range(1, 101):
        endpoints.note("GET /stats", "ok", milliseconds / 1000, 200)
    endpoints.note("POST /todos", "rejected", 0.001, 409)
    endpoints.note("POST /todos", "error", 0.001, 503)
    first, second = endpoints.next_interval(2.0)["endpoints"]
    assert (first["endpoint"], first["requests"], first["requests_per_s"]) == ("GET /stats", 100, 50.0)
    assert [first[f"latency_{name}_ms"] for name in ("min", "p50", "p90", "p99", "max")] == [1, 50, 90, 99, 100]
    assert first["latency_mean_ms"] == pytest.approx(50.5)
    assert (second["requests"], second["failures"], second["failures_per_s"], second["rejected"]) == (2, 1, 0.5, 1)
    # Latency is that of answers: here is none.
    assert "latency_p50_ms" not in second


def test_failures_are_told_by_reason() -> None:
    endpoints = Endpoints()
    for status in (0, 503, 503):
        endpoints.note("GET /todos", "error", 1.0, status)
    assert endpoints.next_interval(1.0)["failures"] == [
        {"endpoint": "GET /todos", "reason": "no answer", "failures": 1},
        {"endpoint": "GET /todos", "reason": "status 503", "failures": 2},
    ]


def test_failures_of_the_whole_run_are_counted_by_kind() -> None:
    endpoints = Endpoints()
    ends = BadAnswer("the connection was closed before the end of the answer")
    lost = [OSError(number, os.strerror(number)) for number in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE)]
    for error in (*lost, TimeoutError("timed out"), ends, None):
        endpoints.note("GET /todos", "error", 1.0, 0, f"GET /todos: {reason(0, error)}, expected 200")
    for status in (503, 503, 200):
        endpoints.note("POST /todos", "error", 1.0, status, f"POST /todos: {reason(status, None)}, expected 201")
    endpoints.note("POST /todos", "rejected", 1.0, 409)
    endpoints.next_interval(1.0)
    kinds = {"refused": 1, "reset": 2, "timed out": 1, "cut off": 1, "no answer": 1}
    assert endpoints.errors == {**kinds, "503": 2, "malformed": 1}


def test_every_answer_is_in_the_one_bucket_whose_bound_is_next() -> None:
    endpoints = Endpoints()
    values = [0.1, 1.0, 1.01, 2.0, 499.0, 5000.0, 5000.1, 60_000.0]
    for milliseconds in values:
        endpoints.note("GET /todos", "ok", milliseconds / 1000, 200)
    (row,) = endpoints.next_interval(1.0)["endpoints"]
    counts = {name: row[name] for name in (*map(bucket, BUCKETS_MS), ABOVE) if row[name]}
    assert counts == {"le_1_ms": 2, "le_2_ms": 2, "le_500_ms": 1, "le_5000_ms": 1, "above_5000_ms": 2}


def test_the_rows_are_those_of_the_catalogue() -> None:
    endpoints = Endpoints()
    endpoints.note("GET /todos", "ok", 0.001, 200)
    endpoints.note("GET /todos", "error", 0.001, 0)
    interval = endpoints.next_interval(1.0)
    assert interval["endpoints"][0].keys() == ENDPOINT.names | {"endpoint"}
    assert interval["failures"][0].keys() == FAILURE.names | {"endpoint", "reason"}


def test_the_interval_starts_afresh() -> None:
    endpoints = Endpoints()
    endpoints.note("GET /todos", "error", 0.001, 0)
    endpoints.next_interval(1.0)
    assert endpoints.next_interval(1.0) == {"endpoints": [], "failures": []}
