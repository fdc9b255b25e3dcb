"""The re-fold oracle on a store of a million events, next to one statement that reads the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

import asyncpg

from bench.ends.errors import RunFailed
from bench.oracle.database import connect, run
from bench.perf import histories
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target

STREAMS: Final = 100_000
EACH: Final = 10
TENTH: Final = 10

# Each row of the four tables once, in no order, received and thrown away.
READ: Final = """
SELECT stream, version, position, type, data, recorded_at FROM events
UNION ALL SELECT stream, from_version, id, to_version::text, NULL, projected_at FROM projection_audit
UNION ALL SELECT stream, version, projected, NULL, NULL, NULL FROM streams
UNION ALL SELECT id, version, deleted::int + applied, text, to_jsonb(created_at), updated_at FROM todos
"""


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """A store and one of a tenth, for the growth of the oracle's memory."""
    streams = lab.size(STREAMS)
    with lab.database() as large, lab.database() as small:
        for url, some in ((large, streams), (small, streams // TENTH)):
            histories.projected(lab, url, streams=some, each=EACH)
            lab.settle(url)

        def ours() -> Reading:
            tenth, whole = (lab.program("oracle", url=url) for url in (small, large))
            if whole["faults"] or whole["events"] != streams * EACH:
                raise RunFailed("the oracle finds fault with a history that has none")
            memory = {"MB": whole["memory"], "memory growth": whole["memory"] / tenth["memory"]}
            return Reading(whole["seconds"], {"events/s": whole["events"] / whole["seconds"], **memory})

        yield Contest(ours, lambda: Reading(run(_read(large))))


async def _read(url: str) -> float:
    """Seconds from asking to the last byte."""
    connection: asyncpg.Connection = await connect(url)
    try:
        started = perf_counter()
        await connection.copy_from_query(READ, output=_throw_away, format="binary")
        return perf_counter() - started
    finally:
        await connection.close()


async def _throw_away(_: bytes) -> None:
    return


ROW: Final = Row(
    name="oracle",
    title="The re-fold oracle's judgment of 1 M events over 100,000 streams",
    unit="s",
    better="lower",
    ours="one process reads every event, audit row, head and todo in one snapshot, and holds them against each other",
    reference="one SQL statement that reads the same rows, each once and in no order, received and thrown away",
    targets=(Target("at most", 5, "reference"), Target("at most", 1.25, figure="memory growth", unit="× at a tenth")),
    server="Postgres",
    client="the oracle, one process and one connection",
    strategy="none: all is projected",
    open=contest,
)
