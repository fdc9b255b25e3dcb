"""A bundle that tells every section of the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from metrics.records.result import Verdict
from metrics.records.sections.convergence import Convergence
from metrics.records.sections.resources import Neighbour, Neighbours, Resources, Second, Usage, Wait
from metrics.records.sections.staleness import Ranks, Staleness, Waiting, Waterfall
from tests.unit.bench import bundles

STALENESS = Staleness(
    visible_within_ms=Ranks(3.1, 6.2, 8.4),
    curve=[(0.0, 0.61), (4.0, 0.87), (8.0, 0.99), (30.0, 1.0)],
    curve_bounds=[(0.0, 0.5, 0.7), (4.0, 0.8, 0.9), (8.0, 0.98, 1.0), (30.0, 1.0, 1.0)],
    read_your_writes=0.617,
    monotonic_violations=3,
    monotonic_reads=689,
    waiting=Waiting(reads=40, seen=1.0, extra_p50_ms=1.71, extra_p99_ms=4.73, why=""),
    writes=276,
    connections=8,
    why="",
)
WATERFALL = Waterfall(
    commit_to_noticed=Ranks(1.13, 4.0, 7.1),
    noticed_to_claimed=Ranks(2.17, 5.0, 9.1),
    claimed_to_committed=Ranks(6.19, 14.0, 17.1),
    committed_to_read=Ranks(3.23, 8.0, 9.1),
    visibility=Ranks(13.91, 28.0, 41.1),
    ahead=0.12,
    samples=270,
    writes=276,
    resolution_ms=1.0,
    why="",
)
RESOURCES = Resources(
    seconds=2.0,
    cores=2,
    busy_share=0.71,
    cpu_percent={"api": Usage(41.0, 47.0), "postgres": Usage(53.0, 59.0)},
    postgres_cpu_percent={"api": Usage(37.0, 43.0)},
    cpu_us_per_action={"api": 843.0, "postgres": 1091.0, "generator": 300.0},
    waits=[Wait("IO:WalSync", 0.67)],
    wal_bytes_per_event=1847.0,
    checkpoints=0,
    bounded_by="api, one process that uses one core, was busy for 93 % of it",
)
NEIGHBOURS = Neighbours(0.23, 0.22, 0.01, None, None, "load", {}, [Neighbour("mypy", 0.19)])
DOUBT = "other processes took 22% of the usable cores (mypy 19%) in the load phase"
FIGURES = ("61 of 100", "689", "4.7 ms", "8.4", "13.9", "6.19", "843", "1,847", "67%", "9,999", "1,777")
"""Numbers of the sections that stand nowhere else on the page."""


def full(root: Path, *, verdict: Verdict = "converged", why: str = "", changed: dict[str, Any] | None = None) -> Path:
    """Write it below `root`."""
    told = {
        "staleness": STALENESS,
        "waterfall_ms": WATERFALL,
        "resources": RESOURCES,
        "neighbours": NEIGHBOURS,
        "doubts": [DOUBT],
        "convergence": Convergence(0.2, 9999.0, 1777, 5.0),
    }
    folder = bundles.write(root, verdict=verdict, why=why, changed={**told, **(changed or {})})
    for name in ("actions", "reads", "visibility", "projected"):
        histogram = HdrHistogram(1, 60_000_000, 3)
        for ms in range(1, 201):
            histogram.record_value(ms * 1000)
        (folder / f"{name}.hdr").write_text(histogram.encode().decode("ascii") + "\n", encoding="utf-8")
    lines = [json.dumps(second(each).to_dict()) for each in range(-1, 5)]
    (folder / "resources.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def second(number: int) -> Second:
    """A line of `resources.jsonl`; the first one lies before the run."""
    return Second(
        t=1000.5 + number,
        seconds=1.0,
        cpu_percent={"api": 40.0 + number, "postgres": 50.0},
        postgres_cpu_percent={"api": 30.0},
        busy_share=0.7,
        neighbours_share=0.2,
        steal_share=None,
        iowait_share=None,
        looks=4,
        waits={"IO:WalSync": 3},
        events=100,
        commits=100,
        rollbacks=0,
        wal_bytes=180_000,
        tuples=400,
        blocks_hit=1000,
        blocks_read=0,
        checkpoints=0,
        dead_tuples={"streams": 10 * (number + 1)},
    )
