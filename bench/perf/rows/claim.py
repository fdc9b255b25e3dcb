"""A claim of 100 streams."""

from __future__ import annotations

from typing import Final

from bench.perf.contests import claims
from bench.perf.references import act
from bench.perf.row import Row, Target

ROW: Final = Row(
    name="claim",
    title="Claim of 100 pending streams among 1 M that are caught up, by stream-leases",
    unit="ms",
    better="lower",
    ours="p50 of 300 claims, each given back before the next",
    reference="the same among 1,000 streams",
    peer="act",
    remembered={"act": act.CLAIM},
    targets=(Target("at most", 1.5, "reference"), Target("at most", 5, figure="p99")),
    server="Postgres",
    client="the projection's leases in one process, one task",
    strategy="stream-leases",
    open=claims.contest(pending=100),
)
