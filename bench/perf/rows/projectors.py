"""Four projectors against one, with a handler that takes its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf import histories
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target

STREAMS: Final = 1_000
EACH: Final = 20
IN_FLIGHT: Final = 10
LATENCY_MS: Final = 5
LONGEST_S: Final = 120.0


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh database and projectors that are ready before the events come."""
    each = max(2, lab.size(EACH * 100) // 100)

    def run(projectors: int) -> Reading:
        with lab.database() as url:
            variables = {"HANDLER_LATENCY_MS": str(LATENCY_MS), "STREAMS_IN_FLIGHT": str(IN_FLIGHT)}
            started = [lab.projector(url, f"projector-{n}", **variables) for n in range(projectors)]
            events = histories.backlog(lab, url, streams=STREAMS, each=each)
            begun = lab.value(url, "SELECT clock_timestamp()")
            lab.sql(url, "NOTIFY tidemark_work")
            _wait(lab, url, events)
            took = lab.sql(url, "SELECT max(projected_at) FROM projection_audit")[0][0] - begun
            for process in started:
                lab.stop(process)
        return Reading(events / took.total_seconds())

    yield Contest(lambda: run(4), lambda: run(1))


def _wait(lab: Lab, url: str, events: int) -> None:
    deadline = time.monotonic() + LONGEST_S
    while lab.value(url, "SELECT coalesce(sum(projected), 0) FROM tallies") < events:
        if time.monotonic() > deadline:
            raise RunFailed(f"{events} events were not projected within {LONGEST_S:g} s")
        time.sleep(0.05)


ROW: Final = Row(
    name="projectors",
    title=f"4 projectors against 1, {LATENCY_MS} ms of handler an event, {STREAMS:,} streams, by stream-leases",
    unit="events/s",
    better="higher",
    ours=f"4 projectors, STREAMS_IN_FLIGHT={IN_FLIGHT} each",
    reference=f"1 projector, STREAMS_IN_FLIGHT={IN_FLIGHT}",
    targets=(Target("at least", 3.6, "reference"),),
    server="Postgres",
    client="4 projectors",
    strategy="stream-leases",
    open=contest,
)
