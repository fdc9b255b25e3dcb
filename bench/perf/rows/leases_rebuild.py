"""Price of leases on a backlog: a rebuild by stream-leases, against the same by stream-locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf import histories
from bench.perf.contests import rebuild
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Both sides project the same backlog, one after the other."""
    with lab.database() as url:
        events = histories.backlog(lab, url, streams=lab.size(rebuild.STREAMS), each=rebuild.EACH)

        def by(strategy: str) -> Reading:
            return rebuild.rebuilt(lab, url, events, STRATEGY=strategy)

        yield Contest(lambda: by("stream-leases"), lambda: by("stream-locks"))


ROW: Final = Row(
    name="leases_rebuild",
    title="Leases against locks: rebuild of 1 M events over 100,000 streams, one projector",
    unit="events/s",
    better="higher",
    ours="`reset --all`, then `--once` by stream-leases: a claim and a batch are two statements",
    reference="the same by stream-locks: claim and batch are one statement, in two lanes",
    targets=(Target("at least", 0.25, "reference"),),
    server="Postgres",
    client="one projector, `--once`",
    strategy="stream-leases",
    open=contest,
)
