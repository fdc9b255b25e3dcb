"""Read a whole store by SQL, a row a stream: one statement for events, audit, heads and rows, in the order of names.

Of one snapshot, given by the caller's transaction. Memory is bounded by a window of streams, and by the longest one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zlib import crc32

import asyncpg

from bench.oracle.activity import KINDS

WINDOW: Final = 1000
PLANNED: Final = {"enable_hashjoin": "off", "enable_hashagg": "off", "jit": "off", "work_mem": "64MB"}
"""Settings of the session: everything is joined in the order of names, so that the first stream comes early."""

# Columns are in the byte order of UTF-8, which is the order of code points, on every server.
STREAMS: Final = """
SELECT heads.stream, heads.version, heads.projected, e.versions, e.types, e.data, e.recorded, a.firsts, a.lasts,
       a.projected_at, t.text, timestamptz_send(t.created_at), timestamptz_send(t.updated_at), t.version, t.deleted,
       t.applied, e.positions
  FROM {heads} AS heads
  LEFT JOIN (
    SELECT stream, array_send(array_agg(version)) AS versions, array_send(array_agg(type)) AS types,
           '[' || string_agg(coalesce(data::text, 'null'), ',') || ']' AS data,
           array_send(array_agg(recorded_at)) AS recorded,
           array_send(array_agg(position)) AS positions
      FROM (SELECT * FROM events ORDER BY stream, version) AS ordered GROUP BY stream
  ) AS e ON e.stream = heads.stream
  LEFT JOIN (
    SELECT stream, array_send(array_agg(from_version)) AS firsts, array_send(array_agg(to_version)) AS lasts,
           array_send(array_agg(projected_at)) AS projected_at
      FROM (SELECT * FROM projection_audit ORDER BY stream, id) AS ordered GROUP BY stream
  ) AS a ON a.stream = heads.stream
  LEFT JOIN todos AS t ON t.id = heads.stream
 ORDER BY heads.stream
"""
HEADS: Final = STREAMS.format(heads="streams")
# What no head speaks of. Asked for only where there are more rows than the heads led to.
STRAYS: Final = STREAMS.format(
    heads="""
    (SELECT DISTINCT stream, NULL::int AS version, NULL::int AS projected
       FROM (SELECT stream FROM events UNION ALL SELECT stream FROM projection_audit
             UNION ALL SELECT id FROM todos) AS x
      WHERE NOT EXISTS (SELECT FROM streams AS s WHERE s.stream = x.stream))
"""
)
THERE: Final = """
SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM projection_audit), (SELECT count(*) FROM todos)
"""
ACTIVITY: Final = f"""
SELECT minute, {", ".join(f"sum({kind})::bigint AS {kind}" for kind in KINDS.values())} FROM activity GROUP BY minute
"""
PLACE: Final = "SELECT number, hash_slots FROM shard"
HASH_SLOTS: Final = 256
SHOWN: Final = 160
"""Characters of what a store says of itself."""
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


@dataclass(frozen=True, slots=True)
class Shard:
    """Which of so many shards a store is."""

    number: int
    shards: int

    def has(self, stream: str) -> bool:
        """Whether the stream belongs there."""
        return shard_of(stream, self.shards) == self.number


def shard_of(stream: str, shards: int) -> int:
    """The shard of a stream: the CRC-32 of its name, modulo 256, is its hash slot, and slots are dealt out in turn."""
    return crc32(stream.encode("utf-8", "surrogatepass")) % HASH_SLOTS % shards


async def unlike(connection: asyncpg.Connection, shard: Shard) -> str:
    """What the store says of itself that is not so; empty where it is that shard."""
    kept = [(row["number"], list(row["hash_slots"])) for row in await connection.fetch(PLACE)]
    if kept == [(shard.number, [slot % shard.shards for slot in range(HASH_SLOTS)])]:
        return ""
    return f"the store of shard {shard.number} of {shard.shards} says another place: {kept or 'none'}"[:SHOWN]


async def read_cursor(connection: asyncpg.Connection) -> int:
    """The position that the reader of the global order has passed."""
    return int(await connection.fetchval(CURSOR))


async def read_tallies(connection: asyncpg.Connection) -> dict[str, tuple[int, int]]:
    """Each counter by name: what it says, and what there is when it is counted."""
    return {
        name: (await connection.fetchval(kept) or 0, await connection.fetchval(counted) or 0)
        for name, (kept, counted) in TALLIES.items()
    }


async def read_activity(connection: asyncpg.Connection) -> dict[datetime, dict[str, int]]:
    """Read model `activity`, by minute."""
    rows = await connection.fetch(ACTIVITY)
    return {row["minute"]: {kind: row[kind] for kind in KINDS.values()} for row in rows}


async def count_rows(connection: asyncpg.Connection) -> tuple[int, int, int]:
    """How many events, audit rows and todos there are."""
    events, batches, todos = await connection.fetchrow(THERE)
    return events, batches, todos


async def read_streams(connection: asyncpg.Connection, statement: str) -> AsyncGenerator[Sequence[Any]]:
    """Rows by `HEADS` or `STRAYS`, a window at a time.

    The server works on the next window while the caller looks at this one, so the connection must be left alone.
    """
    cursor = await connection.cursor(statement)
    window = await cursor.fetch(WINDOW)
    while window:
        following = asyncio.ensure_future(cursor.fetch(WINDOW))
        await asyncio.sleep(0)
        yield window
        window = await following
