"""Goodput past capacity: actions a second that are acknowledged in time when twice as many are asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from bench.ends.errors import RunFailed
from bench.perf import meter
from bench.perf.http_load import wrk
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target, Unmeasured
from bench.platforms.processes import Process
from bench.preflight import limits

SECONDS: Final = 6
WARMUP_S: Final = 2
"""Of the load itself: an overload is admitted whole until it is known."""
TIMES: Final = 2
BOUND_MS: Final = 200
CONNECTIONS: Final = 4_000
"""More than are ever under way: what is admitted within the bound, and what comes before the first refusal."""
EVENTS: Final = "SELECT count(*) FROM events"
STILL_S: Final = 0.5


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """The capacity once. Each reading has a fresh database and a fresh API, which are offered a multiple of that."""
    connections = lab.size(CONNECTIONS)
    if (allowed := limits.raised_to(connections + limits.BASE)) < connections + limits.BASE:
        raise Unmeasured(f"{connections} connections are needed, and `ulimit -n` allows {allowed} files; raise it")
    with _api(lab) as (url, _, base):
        wrk.actions(base, lab.seconds(1))
        lab.settle(url)
        capacity = wrk.actions(base, lab.seconds(SECONDS)).value

    def reading(times: float) -> Reading:
        with _api(lab, API_LATENCY_MAX_MS=str(BOUND_MS)) as (url, api, base):
            return _reading(capacity, *_offered(lab, url, api, base, times * capacity, connections))

    yield Contest(lambda: reading(TIMES), lambda: reading(1))


@contextmanager
def _api(lab: Lab, **variables: str) -> Iterator[tuple[str, Process, str]]:
    """A database, its API and the address of that."""
    with lab.database() as url:
        api, base = lab.api(url, **variables)
        yield url, api, base
        lab.stop(api)


def _offered(
    lab: Lab, url: str, api: Process, base: str, rate: float, connections: int
) -> tuple[dict[str, Any], dict[str, float]]:
    """What became of a load, and how many cores each part had in use. Raises RunFailed."""
    pids = {"API": api.pid, "Postgres": lab.cluster.process.pid}
    seconds, events = lab.seconds(SECONDS), _standing(lab, url)
    before = {part: meter.cpu(pid) for part, pid in pids.items()}
    shape = [f"--rate={rate:.0f}", f"--warmup={WARMUP_S}", f"--seconds={seconds}", f"--connections={connections}"]
    found = lab.program("overload", *shape, f"--bound={BOUND_MS / 1000}", url=url, BASE_URL=base)
    used = {part: (meter.cpu(pid) - before[part]) / (WARMUP_S + seconds) for part, pid in pids.items()}
    written = _standing(lab, url) - events
    if found["failed"] or found["unanswered"] or written != found["acknowledged"]:
        told = f"{found['failed']} failed, {found['unanswered']} were not answered"
        raise RunFailed(f"{found['acknowledged']} actions were acknowledged and {written} events written; {told}")
    return found, {**used, "client": found["cpu"]}


def _reading(capacity: float, found: Mapping[str, Any], used: Mapping[str, float]) -> Reading:
    goodput = found["goodput_per_s"]
    return Reading(
        goodput,
        {
            "of capacity": goodput / capacity,
            "capacity": capacity,
            "offered": found["offered_per_s"],
            "refused": found["refused_per_s"],
            "left out": found["left_out_per_s"],
            "p50": found["p50_ms"],
            "p99": found["p99_ms"],
            "p99 of refusals": found["refused_p99_ms"],
            "p99 of the client": found["sent_late_p99_ms"],
            **{f"cores of {part}": cores for part, cores in used.items()},
        },
    )


def _standing(lab: Lab, url: str) -> int:
    """How many events there are once there are no more: a client that ends leaves some under way."""
    before = -1
    while (events := int(lab.value(url, EVENTS))) != before:
        before = events
        time.sleep(STILL_S)
    return events


ROW: Final = Row(
    name="goodput",
    title=f"Goodput at {TIMES} × capacity: actions acknowledged within {BOUND_MS} ms, one API process",
    unit="actions/s",
    better="higher",
    ours=f"{TIMES} × as many as the row `actions` does, due by an open loop; API_LATENCY_MAX_MS={BOUND_MS}",
    reference="the same at 1 × that",
    targets=(
        Target("at least", 0.9, "reference"),
        Target("at most", BOUND_MS, figure="p99", unit="ms"),
        Target("at most", BOUND_MS, figure="p99 of refusals", unit="ms"),
    ),
    server="one API process (uvicorn, Litestar, Postgres)",
    client=f"wrk for the capacity, then an open loop over {CONNECTIONS:,} connections on the same cores",
    strategy="none: nothing is projected meanwhile",
    open=contest,
)
