"""Hosts apart: what 5 ms between services and store cost those who write, and those who wait to see."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.ends.errors import RunFailed
from bench.perf.contests.hosts.system import Placed, placed
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target

ROUND_TRIP_MS: Final = 5.0
SECONDS: Final = 20.0
USERS: Final = 50


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """One system for both sides; each reading is a whole run, with its proof."""
    seconds = lab.seconds(SECONDS)
    with placed(lab.log) as system:
        yield Contest(lambda: _read(system, ROUND_TRIP_MS, seconds), lambda: _read(system, 0.0, seconds))


def _read(system: Placed, round_trip_ms: float, seconds: float) -> Reading:
    """Raises RunFailed where the run did not converge, or lost, doubled or reordered anything."""
    system.delay(round_trip_ms)
    with tempfile.TemporaryDirectory(prefix="tidemark-run-") as results:
        run = system.begin(Path(results), VUS=str(USERS), DURATION=f"{seconds:g}s", WARMUP="2s")
        found = run.result()
    if found["verdict"] != "converged" or any(counts(found).values()):
        raise RunFailed(f"the run is {found['verdict']}: {found['why']} {counts(found)}")
    latency, seen, throughput = found["latency_ms"]["actions"], found["visibility_ms"], found["throughput"]
    return Reading(
        seen["p50"],
        {
            "visible p99": seen["p99"],
            "write p50": latency["p50"],
            "write p99": latency["p99"],
            "actions a second": throughput["actions_per_s"],
            "errors": throughput["errors"],
            "events proven": found["correctness"]["events_checked"],
        },
    )


def counts(found: Mapping[str, Any]) -> dict[str, int]:
    """What the oracles counted of a result, by its name there; each is 0 where nothing is wrong."""
    names = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows", "acknowledged_missing")
    return {name: found["correctness"][name] for name in names}


ROW: Final = Row(
    name="hosts",
    title=f"Hosts apart, {ROUND_TRIP_MS:g} ms a round trip to the store: acknowledged to visible, p50",
    unit="ms",
    better="lower",
    ours=f"`throughput` by {USERS} users over hosts (network namespaces), {ROUND_TRIP_MS:g} ms a round trip",
    reference="the same hosts and users by turns, the relay before the store passing all at once",
    targets=(Target("at most", 0, figure="errors", unit="errors"),),
    server="two API processes, two projectors, Postgres, a relay: each on a host of its own but the relay",
    client="Locust's master and two workers, each on a host of its own",
    strategy="stream-leases",
    trials=3,
    long=True,
    open=contest,
)
