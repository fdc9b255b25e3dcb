"""The first command on a stream of 100,000 events after a restart of the API, which has no stored snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Final
from urllib.request import Request

from bench.perf import histories
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from bench.platforms.http_client import direct

EVENTS: Final = 100_000
LONG: Final = 5
SHORT: Final = 6
"""Numbers of two streams that do not end with a deletion: see `histories`."""
WARM: Final = 50
LONGEST_S: Final = 120.0
READ: Final = f"SELECT version, type, data FROM events WHERE stream = '{f'todo-{LONG:032x}'}' ORDER BY version"


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """One database; each reading starts the API anew."""
    with lab.database() as url:
        histories.backlog(lab, url, streams=1, each=lab.size(EVENTS), first=LONG)
        histories.backlog(lab, url, streams=1, each=1, first=SHORT)
        lab.settle(url)

        def ours() -> Reading:
            (short,) = _commands(lab, url, SHORT, 1)
            first, *others = _commands(lab, url, LONG, 1 + WARM)
            return Reading(first, {"warm": median(others), "restart alone": short})

        def reference() -> Reading:
            started = perf_counter()
            lab.sql(url, READ)
            return Reading((perf_counter() - started) * 1000)

        yield Contest(ours, reference)


def _commands(lab: Lab, url: str, stream: int, count: int) -> list[float]:
    """Milliseconds of so many updates one after another, the first of which is the first that a new API is sent."""
    api, base = lab.api(url)
    times = []
    for number in range(count):
        body = json.dumps({"text": f"text {number}"}).encode()
        address = f"{base}/todos/todo-{stream:032x}"
        request = Request(address, body, {"Content-Type": "application/json"}, method="PUT")
        started = perf_counter()
        with direct(request, LONGEST_S) as answer:
            answer.read()
        times.append((perf_counter() - started) * 1000)
    lab.stop(api)
    return times


ROW: Final = Row(
    name="cold_start",
    title="First command on a stream of 100,000 events after a restart of the API",
    unit="ms",
    better="lower",
    ours="PUT, answered: all events of the stream are read and folded, since snapshots are remembered and not stored",
    reference="one SQL statement that reads the same events, received by a client",
    targets=(Target("at most", 10, "reference"), Target("at most", 20, figure="warm", unit="ms")),
    server="one API process (uvicorn, Litestar, Postgres)",
    client="one HTTP connection a command",
    strategy="none: nothing is projected meanwhile",
    open=contest,
)
