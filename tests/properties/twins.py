"""Memory and Postgres side by side: every operation goes to both, and must have the same outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from eventstore.contract import EventStore
from eventstore.errors import KeyReused, StoreError, VersionConflict
from eventstore.events import START, Appended, ExpectedVersion, IdempotencyKey, NewEvent, StoredEvent
from eventstore.memory import MemoryEventStore
from eventstore.postgres import PostgresEventStore
from projection.leases.contract import Lease
from projection.leases.memory import MemoryLeases
from projection.leases.streams import PostgresLeases
from projection.stats import read_stats
from tests.emptied import empty

SET_ASIDE = Statement(
    text("""
UPDATE streams
   SET retry_at = :retry_at ::timestamptz, blocked_at = CASE WHEN :blocked ::bool THEN clock_timestamp() END
 WHERE stream = :stream
""")
)

# What holds of any store, whatever happened to it: each row is a rule that is broken.
BROKEN = Statement(
    text("""
WITH numbered AS (
  SELECT stream, version, position,
         row_number() OVER (PARTITION BY stream ORDER BY version) AS expected,
         lag(position) OVER (PARTITION BY stream ORDER BY version) AS before
    FROM events
),
last AS (SELECT stream, max(version) AS version FROM events GROUP BY stream)
SELECT 'versions have a gap: ' || stream AS rule FROM numbered WHERE version <> expected
 UNION ALL SELECT 'positions do not grow: ' || stream FROM numbered WHERE position <= before
 UNION ALL SELECT 'head is not the last version: ' || stream
   FROM streams FULL JOIN last USING (stream) WHERE streams.version IS DISTINCT FROM last.version
 UNION ALL SELECT 'a key leads nowhere: ' || key
   FROM idempotency_keys k WHERE NOT EXISTS (SELECT FROM events WHERE stream = k.stream AND version = k.version)
 UNION ALL SELECT 'tallies are wrong'
   FROM (SELECT coalesce(sum(events), 0) AS events, coalesce(sum(streams), 0) AS streams,
                coalesce(sum(projected), 0) AS projected FROM tallies) AS told,
        (SELECT coalesce(sum(version), 0) AS events, count(*) AS streams, coalesce(sum(projected), 0) AS projected
           FROM streams) AS counted
  WHERE (told.events, told.streams, told.projected) <> (counted.events, counted.streams, counted.projected)
 UNION ALL SELECT 'pending since after its oldest event: ' || s.stream
   FROM streams s JOIN events e ON e.stream = s.stream AND e.version = s.projected + 1
  WHERE s.pending_since > e.recorded_at
""")
)

CHECKPOINTS = Statement(text("SELECT stream, projected, epoch FROM streams"))


@dataclass(frozen=True)
class Want:
    """One append as chance wants it."""

    stream: str
    events: tuple[NewEvent, ...]
    expected: int
    key: IdempotencyKey | None = None


class Twins:
    """Both implementations. `one` and `other` are two processes on the same database."""

    def __init__(self, one: Database, other: Database) -> None:
        self.database = one
        self.stores = (PostgresEventStore(one), PostgresEventStore(other))
        self.leases = PostgresLeases(one)
        self.memory = MemoryEventStore()
        self.memory_leases = MemoryLeases(self.memory)

    @classmethod
    async def fresh(cls, one: Database, other: Database) -> Self:
        """Both empty."""
        await empty(one)
        return cls(one, other)

    async def append(self, wants: Sequence[Want], *, process: int = 0) -> list[Any]:
        """Append, all at the same moment; their streams and keys must differ."""
        expected = [await outcome(_append(self.memory, want)) for want in wants]
        actual = await asyncio.gather(*(outcome(_append(self.stores[process], want)) for want in wants))
        assert list(map(_plain, actual)) == list(map(_plain, expected))
        return expected

    async def claim(self, holder: str, *, limit: int, ttl: timedelta, now: datetime) -> list[Lease]:
        """Claim; the leases that both granted."""
        granted = await self.memory_leases.claim(holder, limit=limit, ttl=ttl, now=now)
        assert _by_stream(await self.leases.claim(holder, limit=limit, ttl=ttl, now=now)) == _by_stream(granted)
        return granted

    async def renew(self, leases: Sequence[Lease], *, ttl: timedelta, now: datetime) -> list[Lease]:
        """Renew; the leases that both prolonged."""
        kept = await self.memory_leases.renew(leases, ttl=ttl, now=now)
        assert _by_stream(await self.leases.renew(leases, ttl=ttl, now=now)) == _by_stream(kept)
        return kept

    async def acknowledge(self, lease: Lease, version: int, *, now: datetime) -> bool:
        """Acknowledge; False when both refused."""
        expected, actual = [
            await outcome(either.acknowledge(lease, version, now=now)) for either in (self.memory_leases, self.leases)
        ]
        assert type(actual) is type(expected)
        return expected is None

    async def release(self, leases: Sequence[Lease]) -> None:
        """Release."""
        await self.memory_leases.release(leases)
        await self.leases.release(leases)

    async def set_aside(self, stream: str, *, blocked: bool, retry_at: datetime | None) -> None:
        """Block the stream, put off its next attempt, or mend it."""
        self.memory_leases.set_aside(stream, blocked=blocked, retry_at=retry_at)
        await self.database.fetch(SET_ASIDE, stream=stream, blocked=blocked, retry_at=retry_at)

    def version(self, stream: str) -> int:
        """The stream's head."""
        return len(self.memory.streams.get(stream, []))

    async def compare_log(self, *, limit: int) -> None:
        """The whole log, read in windows: the same events, and those of a stream in the same order."""
        one, two = [await _walk(either, limit) for either in (self.stores[1], self.memory)]
        assert [event.position for event in one] == sorted({event.position for event in one})
        by_stream = [sorted(map(_content, log), key=lambda content: content[0]) for log in (one, two)]
        assert by_stream[0] == by_stream[1]

    async def compare_streams(self, *, after: int, limit: int) -> None:
        """A part of each stream."""
        for stream in self.memory.streams:
            one, two = [
                await either.read_stream(stream, after=after, limit=limit) for either in (self.stores[0], self.memory)
            ]
            assert list(map(_content, one)) == list(map(_content, two))

    async def check(self) -> dict[str, tuple[int, int]]:
        """Check what must hold at any time; each stream's checkpoint and epoch."""
        assert [row["rule"] for row in await self.database.fetch(BROKEN)] == []
        rows = await self.database.fetch(CHECKPOINTS)
        state = {row["stream"]: (row["projected"], row["epoch"]) for row in rows}
        assert {s: projected for s, (projected, _) in state.items()} == {
            s: self.memory_leases.projected(s) for s in self.memory.streams
        }
        backlog = sum(self.version(s) - projected for s, (projected, _) in state.items())
        assert (await read_stats(self.database)).backlog == backlog
        return state


async def _append(store: EventStore, want: Want) -> Appended:
    return await store.append(want.stream, want.events, expected=ExpectedVersion(want.expected), key=want.key)


async def _walk(store: EventStore, limit: int) -> list[StoredEvent]:
    log: list[StoredEvent] = []
    while window := await store.read_log(after=log[-1].position if log else START, limit=limit):
        log += window
    return log


async def outcome(call: Awaitable[Any]) -> Any:
    """The result, or the refusal."""
    try:
        return await call
    except (StoreError, ValueError) as refusal:
        return refusal


def _plain(result: Any) -> tuple[object, ...]:
    match result:
        case Appended():
            return (Appended, result.stream, result.version, result.replayed)
        case VersionConflict():
            return (VersionConflict, result.stream, result.expected, result.actual or 0)
        case KeyReused():
            return (KeyReused, result.key, result.stream)
        case _:
            return (type(result),)


def _content(event: StoredEvent) -> tuple[str, int, str, object]:
    return (event.stream, event.version, event.type, event.data)


def _by_stream(leases: Sequence[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: lease.stream)
