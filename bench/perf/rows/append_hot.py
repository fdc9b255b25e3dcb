"""Appends to one stream, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.perf.lab import Lab
from bench.perf.references import act, peers
from bench.perf.row import Contest, Reading, Row, Target
from bench.perf.rows.append import FIGURES

SECONDS: Final = 5


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh database."""
    seconds = lab.seconds(SECONDS)

    def one(program: str, figures: tuple[str, ...], *arguments: str) -> Reading:
        with lab.database() as url:
            lab.settle(url)
            found = lab.program(program, *arguments, f"--seconds={seconds}", url=url)
        return Reading(found["events_per_s"], {name: found[name] for name in figures})

    def ours() -> Reading:
        return one("append", FIGURES, "--writers=1", "--streams=1")

    def reference() -> Reading:
        return one("insert", ("p50", "p99"))

    yield Contest(ours, reference, peers.appends(lab, "hot", seconds))


ROW: Final = Row(
    name="append_hot",
    title="Append: one hot stream, sequential",
    unit="events/s",
    better="higher",
    ours="one event after another to one stream, store API",
    reference="one prepared insert after another on one connection (asyncpg), a table with the indexes of events",
    peer="act",
    remembered={"act": act.HOT},
    targets=(Target("at least", 0.7, "reference"), Target("at least", 2, "act")),
    server="Postgres",
    client="the store's API in one process, one task",
    strategy="none: nothing is projected meanwhile",
    open=contest,
)
