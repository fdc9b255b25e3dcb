"""Appends from many writers over many streams, by the store's API in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf.lab import Lab
from bench.perf.references import act, peers, pgbench
from bench.perf.row import Contest, Reading, Row, Target

SECONDS: Final = 5
FIGURES: Final = ("p50", "p99", "single", "batched")
"""In ms; and the shares of append statements that were `single` and `batched` (ADR 0030)."""


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh database."""
    seconds = lab.seconds(SECONDS)

    def ours() -> Reading:
        with lab.database() as url:
            lab.settle(url)
            found = lab.program("append", f"--seconds={seconds}", url=url)
        return Reading(found["events_per_s"], {name: found[name] for name in FIGURES})

    def reference() -> Reading:
        with lab.database() as url:
            lab.settle(url)
            return pgbench.inserts(lab, url, seconds)

    yield Contest(ours, reference, peers.appends(lab, "many", seconds))


ROW: Final = Row(
    name="append",
    title="Append: 64 writers over 1,000 streams, store API, one process",
    unit="events/s",
    better="higher",
    ours="one event an append, each with its expected version, acknowledged after the commit",
    reference=f"pgbench, one prepared insert a transaction, {pgbench.CLIENTS} clients, a table indexed as events is",
    peer="act",
    remembered={"act": act.APPEND},
    targets=(Target("at least", 1.5, "reference"), Target("at least", 10, "act")),
    server="Postgres",
    client="the store's API in one process, 64 tasks",
    strategy="none: nothing is projected meanwhile",
    open=contest,
)
