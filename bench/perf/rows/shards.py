"""Two Postgres servers against one under the same load: processor time, WAL, round trips and disk of an event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf import meter
from bench.perf.contests.shards import cost, servers
from bench.perf.cost import RATE, SECONDS
from bench.perf.lab import Lab
from bench.perf.row import Contest, Row, Target

SERVERS: Final = 2
TWICE: Final = "twice the load"
"""Over two servers: each of them is loaded as the one, so as many events share a statement."""


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has fresh stores, an API process and a projector, and counts once the oracle is content."""
    seconds = lab.seconds(SECONDS)
    with servers(lab, SERVERS) as clusters:
        yield Contest(
            lambda: cost(lab, clusters, RATE, seconds),
            lambda: cost(lab, clusters[:1], RATE, seconds),
            {TWICE: lambda: cost(lab, clusters, SERVERS * RATE, seconds)},
        )


ROW: Final = Row(
    name="shards",
    title=f"{SERVERS} Postgres servers against 1, {RATE:,} events/s appended and projected: processor time of an event",
    unit="µs an event",
    better="lower",
    ours=f"{SERVERS} shards on {SERVERS} servers, by API, projector and the servers; the oracle has folded each shard",
    reference="the same load on one server, by turns",
    peer=TWICE,
    targets=(Target("at most", 1.15, "reference"),),
    settings=meter.SETTINGS,
    server=f"one API process, one projector, {SERVERS} Postgres servers",
    client="bench.perf.programs.arrivals, open loop",
    strategy="stream-leases",
    open=contest,
)
