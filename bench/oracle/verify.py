"""The re-fold oracle: read every event of a store, and hold the projection, its audit and its counters against them.

One snapshot; four cursors in the order of streams, merged. Memory is bounded by the longest stream and a window of
rows, so a million events are no trouble.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final

import asyncpg
from hdrh.histogram import HdrHistogram

from bench.oracle.activity import KINDS, Activity
from bench.oracle.database import connect
from bench.oracle.refold import Batch, Event, Findings, Head, Row, Stream, judge
from metrics.records.result import Correctness, Percentiles
from metrics.records.verification import Verification

WINDOW: Final = 5000
LONGEST_US: Final = 3_600_000_000

EVENTS: Final = "SELECT stream, version, position, type, data::text, recorded_at FROM events ORDER BY stream, version"
BATCHES: Final = "SELECT stream, from_version, to_version, projected_at FROM projection_audit ORDER BY stream, id"
HEADS: Final = "SELECT stream, version, projected FROM streams ORDER BY stream"
ROWS: Final = "SELECT id AS stream, text, created_at, updated_at, version, deleted FROM todos ORDER BY id"
ACTIVITY: Final = f"""
SELECT minute, {", ".join(f"sum({kind})::bigint AS {kind}" for kind in KINDS.values())} FROM activity GROUP BY minute
"""
CURSOR: Final = "SELECT coalesce(max(position), 0) FROM cursors"
TALLIES: Final = {
    "events": ("SELECT sum(events) FROM tallies", "SELECT count(*) FROM events"),
    "streams": ("SELECT sum(streams) FROM tallies", "SELECT count(*) FROM streams"),
    "projected": (
        "SELECT sum(projected) FROM tallies",
        "SELECT sum(to_version - from_version + 1) FROM projection_audit",
    ),
    "todos": ("SELECT sum(todos) FROM todo_tallies", "SELECT count(*) FROM todos"),
    "active todos": ("SELECT sum(active) FROM todo_tallies", "SELECT count(*) FROM todos WHERE NOT deleted"),
}


async def verify(
    url: str, *, complete: bool, serial: bool, since: datetime | None = None, activity: bool = False
) -> tuple[Verification, HdrHistogram]:
    """Check the whole store at `url`; also returns the histogram of `projected_ms`, in microseconds.

    `complete` claims that nothing is left to project. Only events recorded after `since` count for the latency.
    `activity` says that the read model of this name is kept, too.
    """
    started = time.monotonic()
    findings, histogram = Findings(), HdrHistogram(1, LONGEST_US, 3)
    folded = Activity()
    connection = await connect(url, application_name="bench-oracle", jit="off")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await connection.fetchval(CURSOR) if serial else 0
            async for stream in _streams(connection):
                judge(stream, findings, complete=complete, cursor=cursor)
                _time(stream, histogram, since)
                if activity:
                    folded.add(stream, complete=complete)
            await _check_tallies(connection, findings)
            if activity:
                folded.judge(await _minutes(connection), findings)
    finally:
        await connection.close()
    return _verification(findings, histogram, time.monotonic() - started), histogram


async def _check_tallies(connection: asyncpg.Connection, findings: Findings) -> None:
    for name, (kept, counted) in TALLIES.items():
        told, real = await connection.fetchval(kept) or 0, await connection.fetchval(counted) or 0
        if told != real:
            findings.mismatched_rows += 1
            findings.note(f"mismatched: the counter of {name} says {told}, there are {real}")


async def _minutes(connection: asyncpg.Connection) -> dict[datetime, dict[str, int]]:
    rows = await connection.fetch(ACTIVITY)
    return {row["minute"]: {kind: row[kind] for kind in KINDS.values()} for row in rows}


def _time(stream: Stream, histogram: HdrHistogram, since: datetime | None) -> None:
    recorded = {event.version: event.recorded_at for event in stream.events}
    for batch in stream.batches:
        for version in range(batch.first, min(batch.last, len(recorded)) + 1):
            at = recorded.get(version)
            if at is not None and (since is None or at >= since):
                took = (batch.projected_at - at).total_seconds()
                histogram.record_value(min(max(round(took * 1e6), 1), LONGEST_US))


def _verification(findings: Findings, histogram: HdrHistogram, seconds: float) -> Verification:
    return Verification(
        correctness=Correctness(
            events_checked=findings.events,
            lost=findings.lost,
            duplicated=findings.duplicated,
            reordered=findings.reordered,
            phantom=findings.phantom,
            mismatched_rows=findings.mismatched_rows,
        ),
        unprojected=findings.unprojected,
        projected_ms=percentiles(histogram),
        projected_samples=histogram.get_total_count(),
        offenders=findings.offenders,
        seconds=seconds,
    )


def percentiles(histogram: HdrHistogram) -> Percentiles:
    """Milliseconds read from a histogram of microseconds; zeros when it is empty."""
    if histogram.get_total_count() == 0:
        return Percentiles()
    found = histogram.get_percentile_to_value_dict([50, 95, 99])
    return Percentiles(found[50] / 1000, found[95] / 1000, found[99] / 1000, histogram.get_max_value() / 1000)


class _Reader:
    """One cursor, read a stream at a time."""

    def __init__(self, rows: AsyncIterator[asyncpg.Record]) -> None:
        self._rows = rows
        self.next: asyncpg.Record | None = None

    async def advance(self) -> None:
        self.next = await anext(self._rows, None)

    async def take(self, name: str, make: Callable[[asyncpg.Record], Any]) -> list[Any]:
        """The rows of stream `name`, if it is next."""
        taken: list[Any] = []
        while self.next is not None and self.next["stream"] == name:
            taken.append(make(self.next))
            await self.advance()
        return taken


async def _streams(connection: asyncpg.Connection) -> AsyncIterator[Stream]:
    readers = [
        _Reader(aiter(connection.cursor(statement, prefetch=WINDOW))) for statement in (EVENTS, BATCHES, HEADS, ROWS)
    ]
    for reader in readers:
        await reader.advance()
    events, batches, heads, rows = readers
    while True:
        waiting = [reader.next["stream"] for reader in readers if reader.next is not None]
        if not waiting:
            return
        # Columns are in the byte order of UTF-8, which is the order of code points, which is Python's.
        name = min(waiting)
        stream = Stream(name, await events.take(name, _event), await batches.take(name, _batch))
        stream.head = next(iter(await heads.take(name, lambda r: Head(r["version"], r["projected"]))), None)
        stream.row = next(iter(await rows.take(name, _row)), None)
        yield stream


def _event(r: asyncpg.Record) -> Event:
    return Event(r["version"], r["position"], r["type"], json.loads(r["data"]), r["recorded_at"])


def _batch(r: asyncpg.Record) -> Batch:
    return Batch(r["from_version"], r["to_version"], r["projected_at"])


def _row(r: asyncpg.Record) -> Row:
    return Row(r["text"], r["created_at"], r["updated_at"], r["version"], r["deleted"])
