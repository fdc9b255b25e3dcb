"""Reads of one todo from the projection over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.perf import histories
from bench.perf.http_load import wrk
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from bench.platforms import http_client

SECONDS: Final = 6
TODOS: Final = 100_000
READ: Final = 10_000
ACTIVE: Final = f"SELECT id FROM todos WHERE NOT deleted ORDER BY random() LIMIT {READ}"


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """One database with projected todos, one API and the empty server for all readings."""
    seconds = lab.seconds(SECONDS)
    _, empty = lab.empty_api(READ)
    kept = _listed(lab.log / "kept.txt", http_client.todo_ids(empty))
    with lab.database() as url:
        histories.backlog(lab, url, streams=lab.size(TODOS), each=2)
        lab.run("projector-once", ["-m", "services.projector", "--once"], url)
        ids = _listed(lab.log / "ids.txt", (row["id"] for row in lab.sql(url, ACTIVE)))
        lab.settle(url)
        _, base = lab.api(url)
        wrk.reads(base, lab.seconds(1), ids)

        def ours() -> Reading:
            return wrk.reads(base, seconds, ids)

        def reference() -> Reading:
            return wrk.reads(empty, seconds, kept)

        yield Contest(ours, reference)


def _listed(path: Path, ids: Iterable[str]) -> Path:
    path.write_text("".join(f"{id}\n" for id in ids), encoding="utf-8")
    return path


ROW: Final = Row(
    name="reads",
    title="HTTP reads of one todo from the projection, one API process",
    unit="reads/s",
    better="higher",
    ours=f"{wrk.CONNECTIONS} connections, {READ:,} of {TODOS:,} todos by chance",
    reference="the same client at the same handler and server without a store behind them",
    targets=(Target("at least", 0.8, "reference"),),
    server="one API process (uvicorn, Litestar, Postgres)",
    client=f"wrk, {wrk.CONNECTIONS} connections, closed loop",
    strategy="stream-locks, before the readings begin",
    open=contest,
)
