"""Actions over HTTP: create 40, update 30, delete 30, through one API process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf.http_load import wrk
from bench.perf.lab import Lab
from bench.perf.references import act
from bench.perf.row import Contest, Reading, Row, Target

SECONDS: Final = 6


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each of our readings has a fresh database and a fresh API; the empty server stays."""
    seconds = lab.seconds(SECONDS)
    _, empty = lab.empty_api()

    def ours() -> Reading:
        with lab.database() as url:
            api, base = lab.api(url)
            wrk.actions(base, lab.seconds(1))
            lab.settle(url)
            reading = wrk.actions(base, seconds)
            lab.stop(api)
        return reading

    def reference() -> Reading:
        return wrk.actions(empty, seconds)

    yield Contest(ours, reference)


ROW: Final = Row(
    name="actions",
    title="HTTP actions: create 40 %, update 30 %, delete 30 %, one API process, no projector",
    unit="actions/s",
    better="higher",
    ours=f"{wrk.CONNECTIONS} connections; every action is committed before its answer",
    reference="the same client at the same handlers and server without a store behind them",
    peer="act",
    remembered={"act": act.HTTP},
    targets=(Target("at least", 0.7, "reference"), Target("at least", 5, "act")),
    server="one API process (uvicorn, Litestar, Postgres)",
    client=f"wrk, {wrk.CONNECTIONS} connections, closed loop",
    strategy="none: nothing is projected meanwhile",
    open=contest,
)
