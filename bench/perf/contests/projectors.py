"""Some projectors work a backlog off together, with a handler that takes its time."""

from __future__ import annotations

import time
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf import histories
from bench.perf.lab import Lab

STREAMS: Final = 1_000
EACH: Final = 20
IN_FLIGHT: Final = 10
LATENCY_MS: Final = 5
LONGEST_S: Final = 120.0


def worked_off_per_s(lab: Lab, projectors: int, latency_ms: int = LATENCY_MS) -> float:
    """Events a second from the moment when all are called to the last effect, by the database's clock.

    On a fresh database, by projectors that are ready before the events come. Raises RunFailed.
    """
    each = max(2, lab.size(EACH * 100) // 100)
    with lab.database() as url:
        variables = {"HANDLER_LATENCY_MS": str(latency_ms), "STREAMS_IN_FLIGHT": str(IN_FLIGHT)}
        started = [lab.projector(url, f"projector-{n}", **variables) for n in range(projectors)]
        events = histories.backlog(lab, url, streams=STREAMS, each=each)
        begun = lab.value(url, "SELECT clock_timestamp()")
        lab.sql(url, "NOTIFY tidemark_work")
        _wait(lab, url, events)
        took = lab.sql(url, "SELECT max(projected_at) FROM projection_audit")[0][0] - begun
        for process in started:
            lab.stop(process)
    return float(events / took.total_seconds())


def _wait(lab: Lab, url: str, events: int) -> None:
    deadline = time.monotonic() + LONGEST_S
    while lab.value(url, "SELECT coalesce(sum(projected), 0) FROM tallies") < events:
        if time.monotonic() > deadline:
            raise RunFailed(f"{events} events were not projected within {LONGEST_S:g} s")
        time.sleep(0.05)
