"""A claim that finds nothing."""

from __future__ import annotations

from typing import Final

from bench.perf.contests import claims
from bench.perf.row import Row, Target

ROW: Final = Row(
    name="claim_empty",
    title="Empty claim among 1 M streams that are caught up, by stream-leases",
    unit="ms",
    better="lower",
    ours="p50 of 300 claims that find nothing",
    reference="the same among 1,000 streams",
    targets=(Target("at most", 1.5, "reference"), Target("at most", 5, figure="p99")),
    server="Postgres",
    client="the projection's leases in one process, one task",
    strategy="stream-leases",
    open=claims.contest(pending=0),
)
