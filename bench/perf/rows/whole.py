"""The whole system on these cores: client, API, Postgres, and one projector that keeps up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf.http_load import wrk
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from bench.platforms import http_client

SECONDS: Final = 8
LONGEST_S: Final = 60.0
KEPT_UP_S: Final = 1.0


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each of our readings has a fresh database, API and projector; the empty server stays."""
    seconds = lab.seconds(SECONDS)
    _, empty = lab.empty_api()

    def ours() -> Reading:
        with lab.database() as url:
            api, base = lab.api(url)
            projector = lab.projector(url)
            wrk.actions(base, lab.seconds(1))
            _catch_up(base)
            lab.settle(url)
            reading = wrk.actions(base, seconds)
            backlog, after = _catch_up(base)
            lab.stop(projector)
            lab.stop(api)
        requests = reading.figures["requests"]
        took = requests / reading.value + after
        return Reading(requests / took, {**reading.figures, "backlog_at_end": backlog, "caught_up_s": after})

    def reference() -> Reading:
        return wrk.actions(empty, seconds)

    yield Contest(ours, reference)


def _catch_up(base: str) -> tuple[int, float]:
    """The backlog now, and the seconds until it is 0."""
    started, first = time.monotonic(), None
    while (waited := time.monotonic() - started) < LONGEST_S:
        stats = http_client.stats(base)
        if stats is not None:
            first = stats["backlog"] if first is None else first
            if stats["backlog"] == 0:
                return first, waited
        time.sleep(0.005)
    raise RunFailed(f"the projector did not catch up within {LONGEST_S:g} s")


ROW: Final = Row(
    name="whole",
    title="The whole system: the same client, API, and one projector by stream-leases that keeps up",
    unit="actions/s",
    better="higher",
    ours="actions acknowledged and projected by stream-leases; the time until the backlog is 0 counts",
    reference="the same client at the same handlers and server without a store behind them",
    targets=(Target("at least", 0.6, "reference"), Target("at most", KEPT_UP_S, figure="caught_up_s", unit="s")),
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client=f"wrk, {wrk.CONNECTIONS} connections, closed loop",
    strategy="stream-leases",
    open=contest,
)
