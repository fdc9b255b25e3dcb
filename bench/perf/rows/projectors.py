"""Four projectors against one, with a handler that takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf.contests.projectors import IN_FLIGHT, LATENCY_MS, STREAMS, worked_off_per_s
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh database and projectors that are ready before the events come."""
    yield Contest(lambda: Reading(worked_off_per_s(lab, 4)), lambda: Reading(worked_off_per_s(lab, 1)))


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
