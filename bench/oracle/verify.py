"""The re-fold oracle: read every event of a store, and hold the projection, its audit and its counters against them.

One snapshot, a stream at a time, so a million events are no trouble.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from hdrh.histogram import HdrHistogram

from bench.oracle.activity import Activity
from bench.oracle.database import connect
from bench.oracle.read_store import read_activity, read_cursor, read_streams, read_tallies
from bench.oracle.refold import Findings, Stream, judge
from metrics.records.result import Correctness, Percentiles
from metrics.records.verification import Verification

LONGEST_US: Final = 3_600_000_000


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
            cursor = await read_cursor(connection) if serial else 0
            async for stream in read_streams(connection):
                judge(stream, findings, complete=complete, cursor=cursor)
                _time(stream, histogram, since)
                if activity:
                    folded.add(stream, complete=complete)
            _check_tallies(await read_tallies(connection), findings)
            if activity:
                folded.judge(await read_activity(connection), findings)
    finally:
        await connection.close()
    return _verification(findings, histogram, time.monotonic() - started), histogram


def _check_tallies(tallies: Mapping[str, tuple[int, int]], findings: Findings) -> None:
    for name, (told, real) in tallies.items():
        if told != real:
            findings.mismatched_rows += 1
            findings.note(f"mismatched: the counter of {name} says {told}, there are {real}")


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
