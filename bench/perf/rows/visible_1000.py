"""Commit to visible at 1,000 events/s."""

from __future__ import annotations

from typing import Final

from bench.perf.contests import visible
from bench.perf.references import act
from bench.perf.row import Row, Target

ROW: Final = Row(
    name="visible_1000",
    title="Commit to visible at 1,000 events/s, API and one projector by stream-leases",
    unit="ms",
    better="lower",
    ours="p99 of all events, commit of the write to commit of its effect, by stream-leases",
    reference="a bare NOTIFY to its arrival at a listener, p99, idle",
    peer="act",
    remembered={"act": act.VISIBLE_BUSY},
    targets=(Target("at most", 0.05, "act", "p99"),),
    settings=visible.SETTINGS,
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="bench.perf.programs.arrivals, open loop",
    strategy="stream-leases",
    open=visible.contest(rate=1000, seconds=8, value="p99"),
)
