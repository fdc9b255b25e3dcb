"""The oracle on a store of Postgres: with or without screening it finds the same, each fault among sound streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import pytest

from bench.oracle import read_store
from bench.oracle import verify as oracle
from bench.oracle.refold import Stream, judge
from metrics.records.verification import Verification
from tests.cluster import Cluster, as_role

STREAMS: Final = 60
EVENTS: Final = 4 * STREAMS
END: Final = datetime(2026, 1, 2, tzinfo=UTC)

# Streams of four events; every third ends with a deletion. Their audit is one batch, or two, or one each.
HISTORY: Final = f"""
INSERT INTO events (stream, version, type, data, recorded_at)
SELECT 'todo-' || n, v,
       CASE WHEN v = 1 THEN 'TodoCreated' WHEN v = 4 AND n % 3 = 0 THEN 'TodoDeleted' ELSE 'TodoUpdated' END,
       CASE WHEN v = 4 AND n % 3 = 0 THEN '{{}}'::jsonb ELSE jsonb_build_object('text', n || ' "ü" ' || v) END,
       '2026-01-01'::timestamptz + n * interval '7 s' + v * interval '1 us'
  FROM generate_series(1, {STREAMS}) n, generate_series(1, 4) v ORDER BY v, n;
INSERT INTO streams (stream, version, projected) SELECT 'todo-' || n, 4, 4 FROM generate_series(1, {STREAMS}) n;
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
SELECT stream, min(version), max(version), max(position), 'p', 1, max(recorded_at) + min(version) * interval '11 ms'
  FROM (SELECT *, CASE substr(stream, 6)::int % 3 WHEN 0 THEN 1 WHEN 1 THEN version / 3 ELSE version END AS batch
          FROM events) AS e
 GROUP BY stream, batch ORDER BY batch, stream;
INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
SELECT stream, (array_agg(data ->> 'text' ORDER BY version DESC) FILTER (WHERE type <> 'TodoDeleted'))[1],
       min(recorded_at), max(recorded_at), 4, bool_or(type = 'TodoDeleted'), 4 FROM events GROUP BY stream;
INSERT INTO activity (minute, slot, created, updated, deleted)
SELECT date_trunc('minute', recorded_at, 'UTC'), 1, count(*) FILTER (WHERE type = 'TodoCreated'),
       count(*) FILTER (WHERE type = 'TodoUpdated'), count(*) FILTER (WHERE type = 'TodoDeleted')
  FROM events GROUP BY 1;
INSERT INTO tallies (slot, events, streams, projected) VALUES (1, {EVENTS}, {STREAMS}, {EVENTS});
INSERT INTO todo_tallies (slot, todos, active) SELECT 1, count(*), count(*) FILTER (WHERE NOT deleted) FROM todos;
"""
AGAIN: Final = """
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ({}, 1, 'p', 1, now())
"""
TURNED: Final = """
UPDATE projection_audit SET from_version = 5 - from_version, to_version = 5 - to_version WHERE stream = 'todo-5'
"""
STRAY: Final = "INSERT INTO todos SELECT 'stray', text, created_at, updated_at, 1, false, 1 FROM todos LIMIT 1"
LATER: Final = "UPDATE todos SET created_at = created_at + interval '1 us' WHERE id = 'todo-8'"
# A given store may have been altered: of what it says, NULL is no answer.
NULLED: Final = """
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS pk_{table} CASCADE;
ALTER TABLE {table} ALTER {column} DROP IDENTITY IF EXISTS;
ALTER TABLE {table} ALTER {column} DROP NOT NULL; UPDATE {table} SET {column} = NULL WHERE {rows}
"""
NAMELESS: Final = {"lost": 1, "phantom": 1, "mismatched_rows": 1}
BATCH: Final = ("from_version", "to_version", "projected_at")
LAST: Final = "stream = 'todo-5' AND version = 3"

# What is done to the store, and what is counted then beside the counters that it makes wrong.
PLANTED: Final[Mapping[str, tuple[str, dict[str, int]]]] = {
    "nothing": ("SELECT", {}),
    "effect lost": ("DELETE FROM projection_audit WHERE stream = 'todo-5' AND from_version = 2", {"lost": 1}),
    "event lost": ("DELETE FROM events WHERE stream = 'todo-7' AND version = 2", {"lost": 1, "phantom": 1}),
    "doubled": (AGAIN.format("'todo-6', 2, 3"), {"duplicated": 2}),
    "beyond": (AGAIN.format("'todo-6', 5, 6"), {"phantom": 2}),
    "reordered": (TURNED, {"reordered": 3}),
    "text": ("UPDATE todos SET text = 'x' WHERE id = 'todo-8'", {"mismatched_rows": 1}),
    "microsecond": (LATER, {"mismatched_rows": 1}),
    "applied again": ("UPDATE todos SET applied = 5 WHERE id = 'todo-8'", {"duplicated": 1}),
    "not applied": ("UPDATE todos SET applied = 2 WHERE id = 'todo-9'", {"lost": 2}),
    "row lost": ("DELETE FROM todos WHERE id = 'todo-9'", {"mismatched_rows": 1}),
    "row of nothing": (STRAY, {"phantom": 1}),
    "batch of nothing": (AGAIN.format("'stray', 1, 4"), {"phantom": 4}),
    "no head": ("DELETE FROM streams WHERE stream = 'todo-5'", {"mismatched_rows": 1}),
    "head of nothing": ("INSERT INTO streams VALUES ('stray', 3, 3)", {"mismatched_rows": 1}),
    "no history": ("UPDATE events SET data = '[]' WHERE stream = 'todo-5' AND version = 2", {"mismatched_rows": 1}),
    **{
        f"NULL {table}.{column}": (NULLED.format(table=table, column=column, rows=rows), {"mismatched_rows": 1})
        for table, rows, columns in (
            # In the middle, at the end and at the beginning of streams, and in all of one.
            ("events", "stream = 'todo-5' AND version = 3", ("version", "type", "data", "recorded_at", "position")),
            ("projection_audit", "stream = 'todo-5' AND to_version = 4", BATCH),
            ("projection_audit", "stream = 'todo-6'", BATCH),
            ("todos", "id = 'todo-5'", ("text", "created_at", "updated_at", "version", "deleted", "applied")),
            ("streams", "stream = 'todo-5'", ("version", "projected")),
        )
        for column in columns
    },
    "NULL names of events": (NULLED.format(table="events", column="stream", rows=LAST), NAMELESS),
}


@pytest.fixture
async def url(cluster: Cluster) -> AsyncIterator[str]:
    async with cluster.database() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(HISTORY)
        await connection.close()
        yield url


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"SET session_replication_role = replica; {statement}")
    await connection.close()


async def judged(url: str, **options: Any) -> tuple[Verification, bytes]:
    wanted = {"complete": True, "serial": False, "activity": True, **options}
    verification, histogram = await oracle.verify(as_role("oracle", url), **wanted)
    return replace(verification, seconds=0.0), histogram.encode()


@pytest.mark.parametrize("name", PLANTED)
async def test_each_fault_is_found_among_sound_streams_and_screening_changes_nothing(
    url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_store, "WINDOW", 7)
    statement, faults = PLANTED[name]
    await execute(url, statement)
    screened, times = await judged(url)
    counted = sum("the counter of" in line or "activity of" in line for line in screened.offenders)
    counts = screened.correctness.to_dict()
    counts["mismatched_rows"] -= counted
    kinds = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows")
    assert {kind: counts[kind] for kind in kinds if counts[kind]} == faults, screened.offenders

    monkeypatch.setattr(oracle, "acquit", lambda _: None)
    assert (screened, times) == await judged(url)


async def test_a_sound_store_is_acquitted_whole_and_a_wrong_stream_alone_is_folded(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[str] = []

    def noting(stream: Stream, *rest: Any, **named: Any) -> None:
        folded.append(stream.name)
        judge(stream, *rest, **named)

    monkeypatch.setattr(oracle, "judge", noting)
    verification, _ = await judged(url)
    assert (folded, verification.correctness.events_checked, verification.projected_samples) == ([], EVENTS, EVENTS)
    await execute(url, PLANTED["text"][0])
    await judged(url)
    assert folded == ["todo-8"]


@pytest.mark.parametrize("screened", [True, False])
async def test_only_what_was_recorded_since_counts_for_the_delay(
    url: str, screened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not screened:
        monkeypatch.setattr(oracle, "acquit", lambda _: None)
    # Stream 10 begins 1 µs after this moment, and stream 9 ended before it. Of stream 11 the first two are before it.
    verification, _ = await judged(url, load=(datetime(2026, 1, 1, 0, 1, 10, tzinfo=UTC), END))
    assert verification.projected_samples == 4 * (STREAMS - 9)
    verification, _ = await judged(url, load=(datetime(2026, 1, 1, 0, 1, 17, 3, tzinfo=UTC), END))
    assert verification.projected_samples == 4 * (STREAMS - 11) + 2


async def test_it_is_told_how_far_it_is(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "TOLD_EVERY_S", 0.0)
    monkeypatch.setattr(read_store, "WINDOW", 10)
    told: list[Sequence[int]] = []
    await judged(url, told=lambda done, of: told.append((done, of)))
    assert told == [(done, EVENTS) for done in range(40, EVENTS + 1, 40)]
