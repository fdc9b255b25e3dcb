"""The re-fold oracle: read every event of a store, and hold the projection, its audit and its counters against them.

One snapshot, a stream at a time: a stream that is plainly sound is acquitted by its columns (`screen`), every other one
is folded event by event (`refold`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

import asyncpg
from hdrh.histogram import HdrHistogram

from bench.oracle import read_store
from bench.oracle.activity import Activity
from bench.oracle.columns import EPOCH, Columns, length, to_stream, with_null
from bench.oracle.database import connect
from bench.oracle.delays import Delays
from bench.oracle.refold import SHOWN, Findings, Stream, judge
from bench.oracle.screen import acquit
from metrics.records.result import Correctness, Percentiles
from metrics.records.verification import Verification

TOLD_EVERY_S: Final = 2.0

Told = Callable[[int, int], None]
"""Told now and then how many events are folded, of how many."""


async def verify(
    url: str,
    *,
    complete: bool,
    serial: bool,
    load: tuple[datetime, datetime] | None = None,
    activity: bool = False,
    shard: read_store.Shard | None = None,
    told: Told = lambda _done, _all: None,
) -> tuple[Verification, HdrHistogram]:
    """Check the whole store at `url`; also returns the histogram of `projected_ms`, in microseconds.

    `complete` claims that nothing is left to project. Only events recorded within `load` count for the latency.
    `activity` says that the read model of this name is kept, too. `shard`: which of several the store is, so that each
    stream in it is one of its own.
    """
    started = time.monotonic()
    connection = await connect(url, application_name="bench-oracle", **read_store.PLANNED)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await read_store.read_cursor(connection) if serial else 0
            judgment = _Judgment(complete, cursor, _measured(load), Activity() if activity else None, shard)
            if shard is not None and (why := await read_store.unlike(connection, shard)):
                judgment.misplaced(why)
            await _judge_streams(connection, judgment, told)
            _check_tallies(await read_store.read_tallies(connection), judgment.findings)
            if judgment.activity is not None:
                judgment.activity.judge(await read_store.read_activity(connection), judgment.findings)
    finally:
        await connection.close()
    histogram = judgment.delays.histogram()
    return _verification(judgment.findings, histogram, time.monotonic() - started), histogram


async def verify_all(
    urls: Sequence[str],
    *,
    complete: bool,
    serial: bool,
    load: tuple[datetime, datetime] | None = None,
    activity: bool = False,
    told: Told = lambda _done, _all: None,
) -> tuple[Verification, HdrHistogram]:
    """The same of each shard, one after another, and of all together: faults are added, latencies are of all events."""
    found = [
        await verify(
            url,
            complete=complete,
            serial=serial,
            load=load,
            activity=activity,
            shard=read_store.Shard(number, len(urls)) if len(urls) > 1 else None,
            told=told,
        )
        for number, url in enumerate(urls)
    ]
    return found[0] if len(found) == 1 else _together(found)


def _together(found: Sequence[tuple[Verification, HdrHistogram]]) -> tuple[Verification, HdrHistogram]:
    histogram = found[0][1]
    for _, other in found[1:]:
        histogram.add(other)
    each = [verification for verification, _ in found]
    counted = {one.name: sum(getattr(v.correctness, one.name) for v in each) for one in fields(Correctness)}
    return (
        Verification(
            correctness=Correctness(**counted),
            unprojected=sum(one.unprojected or 0 for one in each),
            projected_ms=percentiles(histogram),
            projected_samples=histogram.get_total_count(),
            offenders=list(chain.from_iterable(one.offenders for one in each))[:SHOWN],
            seconds=sum(one.seconds for one in each),
        ),
        histogram,
    )


async def _judge_streams(connection: asyncpg.Connection, judgment: _Judgment, told: Told) -> None:
    """Every stream that a head speaks of; and where there are more rows than those led to, all others, too."""
    there = await read_store.count_rows(connection)
    events, next_told = there[0], time.monotonic() + TOLD_EVERY_S
    for statement in (read_store.HEADS, read_store.STRAYS):
        async with aclosing(read_store.read_streams(connection, statement)) as windows:
            async for window in windows:
                for row in window:
                    judgment.add(row)
                if time.monotonic() >= next_told:
                    told(judgment.findings.events, events)
                    next_told = time.monotonic() + TOLD_EVERY_S
        if judgment.seen == there:
            return
    judgment.unreached(there)


@dataclass(slots=True)
class _Judgment:
    """What is found, stream by stream."""

    complete: bool
    cursor: int
    measured: range | None
    activity: Activity | None
    shard: read_store.Shard | None = None
    findings: Findings = field(default_factory=Findings)
    delays: Delays = field(default_factory=Delays)
    batches: int = 0
    rows: int = 0

    @property
    def seen(self) -> tuple[int, int, int]:
        """Events, audit rows and todos so far."""
        return self.findings.events, self.batches, self.rows

    def misplaced(self, what: str) -> None:
        """Something is in a store where nobody would look for it."""
        self.findings.mismatched_rows += 1
        self.findings.note(f"mismatched: {what}")

    def unreached(self, there: tuple[int, int, int]) -> None:
        """Rows that belong to no stream, as their name is NULL: looked for by no name, and so a fault."""
        for table, seen, count in zip(("events", "projection_audit"), self.seen, there, strict=False):
            if seen != count:
                self.findings.mismatched_rows += 1
                self.findings.note(f"mismatched: {count - seen} rows of {table} belong to no stream")

    def add(self, row: asyncpg.Record) -> None:
        """One stream, by its columns or event by event."""
        if self.shard is not None and row[0] is not None and not self.shard.has(row[0]):
            own = read_store.shard_of(row[0], self.shard.shards)
            self.misplaced(f"{row[0]} lies in shard {self.shard.number}, and belongs to shard {own} by its hash slot")
        plain = acquit(row)
        if plain is None:
            self._look(Columns(*row))
            return
        self.findings.events += len(plain.recorded)
        self.batches += len(plain.lasts)
        self.rows += 1
        delays = plain.delays()
        within = self.measured
        if within is not None and not (min(plain.recorded) in within and max(plain.recorded) in within):
            delays = [delay for delay, at in zip(delays, plain.recorded, strict=True) if at in within]
        self.delays.add(delays)
        if self.activity is not None:
            self.activity.add_plain(plain.recorded, deleted=plain.deleted)

    def _look(self, columns: Columns) -> None:
        """Fold it; a NULL where the schema has none makes it no history, and is a fault of its own."""
        nulls = with_null(columns)
        if not nulls:
            self._fold(to_stream(columns))
            return
        self.findings.events += length(columns.versions)
        self.batches += length(columns.firsts)
        self.rows += columns.row_version is not None
        self.findings.mismatched_rows += 1
        self.findings.note(f"mismatched: {columns.stream} has NULL in {', '.join(nulls)}")

    def _fold(self, stream: Stream) -> None:
        self.batches += len(stream.batches)
        self.rows += stream.row is not None
        judge(stream, self.findings, complete=self.complete, cursor=self.cursor)
        self.delays.add(_delays(stream, self.measured))
        if self.activity is not None:
            self.activity.add(stream, complete=self.complete)


def _measured(load: tuple[datetime, datetime] | None) -> range | None:
    """The microseconds since the epoch whose events count for the latency; None: all of them."""
    return None if load is None else range(*map(_us, load))


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _delays(stream: Stream, measured: range | None) -> list[int]:
    """Microseconds from each event to each effect that the audit tells of it."""
    recorded = {event.version: event.recorded_at for event in stream.events}
    return [
        (batch.projected_at - at) // timedelta(microseconds=1)
        for batch in stream.batches
        for version in range(batch.first, min(batch.last, len(recorded)) + 1)
        if (at := recorded.get(version)) is not None and (measured is None or _us(at) in measured)
    ]


def _check_tallies(tallies: Mapping[str, tuple[int, int]], findings: Findings) -> None:
    for name, (told, real) in tallies.items():
        if told != real:
            findings.mismatched_rows += 1
            findings.note(f"mismatched: the counter of {name} says {told}, there are {real}")


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
