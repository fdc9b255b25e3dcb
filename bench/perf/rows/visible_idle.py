"""Commit to visible on an idle system."""

from __future__ import annotations

from typing import Final

from bench.perf.contests import visible
from bench.perf.references import act
from bench.perf.row import Row, Target

ROW: Final = Row(
    name="visible_idle",
    title="Commit to visible, idle (20 writes/s), API and one projector by stream-leases",
    unit="ms",
    better="lower",
    ours="p50 of all events, commit of the write to commit of its effect, by stream-leases",
    reference="a bare NOTIFY to its arrival at a listener",
    peer="act",
    remembered={"act": act.VISIBLE_IDLE},
    targets=(
        Target("at most", 3, "reference", "p50"),
        Target("at most", 3, "reference", "p99"),
        Target("at most", 8.5, figure="p99"),
    ),
    settings=visible.SETTINGS,
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="bench.perf.programs.arrivals, open loop",
    strategy="stream-leases",
    open=visible.contest(rate=20, seconds=10, value="p50"),
)
