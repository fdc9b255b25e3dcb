"""Price of leases on an idle system: commit to visible by stream-leases, against the same by stream-locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf.contests import visible
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target

RATE: Final = 20
SECONDS: Final = 10


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh system."""

    def by(strategy: str) -> Reading:
        with lab.database() as url:
            return visible.delays(lab, url, RATE, lab.seconds(SECONDS), "p50", STRATEGY=strategy)

    yield Contest(lambda: by("stream-leases"), lambda: by("stream-locks"))


ROW: Final = Row(
    name="leases_idle",
    title=f"Leases against locks: commit to visible, idle ({RATE} writes/s), API and one projector",
    unit="ms",
    better="lower",
    ours="p50 of all events by stream-leases: a claim and a batch, two statements and two commits",
    reference="the same by stream-locks: claim and batch are one statement",
    # No bound on p99: at this rate it is that of two events.
    targets=(Target("at most", 2, "reference"),),
    settings=visible.SETTINGS,
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="bench.perf.programs.arrivals, open loop",
    strategy="stream-leases",
    open=contest,
)
