"""Goodput past capacity: actions a second that are acknowledged in time when twice as many are asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf.http_load import wrk
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target, Unmeasured
from bench.preflight import limits

SECONDS: Final = 6
TIMES: Final = 2
BOUND_MS: Final = 200
CONNECTIONS: Final = 4_000
"""More than are ever under way: what is admitted within the bound, and what comes before the first refusal."""
EVENTS: Final = "SELECT count(*) FROM events"
STILL_S: Final = 0.5


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh database and a fresh API: its capacity first, then twice that."""
    seconds = lab.seconds(SECONDS)
    connections = lab.size(CONNECTIONS)
    if (allowed := limits.raised_to(connections + limits.BASE)) < connections + limits.BASE:
        raise Unmeasured(f"{connections} connections are needed, and `ulimit -n` allows {allowed} files; raise it")

    def ours() -> Reading:
        with lab.database() as url:
            api, base = lab.api(url, API_LATENCY_MAX_MS=str(BOUND_MS))
            wrk.actions(base, lab.seconds(1))
            lab.settle(url)
            capacity = wrk.actions(base, seconds).value
            events = _standing(lab, url)
            shape = [f"--rate={TIMES * capacity:.0f}", f"--seconds={seconds}", f"--connections={connections}"]
            found = lab.program("overload", *shape, f"--bound={BOUND_MS / 1000}", url=url, BASE_URL=base)
            written = _standing(lab, url) - events
            lab.stop(api)
        if found["failed"] or found["unanswered"] or written != found["acknowledged"]:
            told = f"{found['failed']} failed, {found['unanswered']} were not answered"
            raise RunFailed(f"{found['acknowledged']} actions were acknowledged and {written} events written; {told}")
        goodput = found["goodput_per_s"]
        return Reading(
            goodput,
            {
                "of capacity": goodput / capacity,
                "capacity": capacity,
                "offered": found["offered_per_s"],
                "refused": found["refused_per_s"],
                "left out": found["left_out"] / seconds,
                "p50": found["p50_ms"],
                "p99": found["p99_ms"],
                "p99 of refusals": found["refused_p99_ms"],
                "p99 of the client": found["sent_late_p99_ms"],
            },
        )

    yield Contest(ours)


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
    ours=f"capacity by the row `actions`, then {TIMES} × as many due by an open loop; API_LATENCY_MAX_MS={BOUND_MS}",
    reference="none",
    targets=(
        Target("at least", 0.9, figure="of capacity", unit="× capacity"),
        Target("at most", BOUND_MS, figure="p99", unit="ms"),
        Target("at most", BOUND_MS, figure="p99 of refusals", unit="ms"),
    ),
    server="one API process (uvicorn, Litestar, Postgres)",
    client=f"wrk for the capacity, then an open loop over {CONNECTIONS:,} connections on the same cores",
    strategy="none: nothing is projected meanwhile",
    open=contest,
)
