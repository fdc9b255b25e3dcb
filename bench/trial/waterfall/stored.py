"""What the store knows of sampled events: when each was inserted, when and by whom its effect was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.oracle.database import connect

EVENTS: Final = """
SELECT e.stream, e.version, e.recorded_at, a.projected_at, a.projector
  FROM unnest($1::text[], $2::bigint[]) AS sampled (stream, version)
  JOIN events e ON e.stream = sampled.stream AND e.version = sampled.version
  JOIN projection_audit a
    ON a.stream = sampled.stream AND sampled.version BETWEEN a.from_version AND a.to_version
"""

Event = tuple[str, int]
"""A stream and a version."""


@dataclass(frozen=True, slots=True)
class Stored:
    """By the clock of its shard's database, each within the statement that wrote it, before its commit."""

    recorded_at: datetime
    projected_at: datetime
    projector: str
    shard: int = 0


async def read(urls: Sequence[str], events: Sequence[Event]) -> dict[Event, Stored]:
    """Those of the events whose effect is written, each by the shard that has it."""
    found: dict[Event, Stored] = {}
    for shard, url in enumerate(urls):
        found |= await _read(url, events, shard)
    return found


async def _read(url: str, events: Sequence[Event], shard: int) -> dict[Event, Stored]:
    connection = await connect(url, application_name="bench-waterfall")
    try:
        streams, versions = [stream for stream, _ in events], [version for _, version in events]
        rows = await connection.fetch(EVENTS, streams, versions)
    finally:
        await connection.close()
    return {
        (row["stream"], row["version"]): Stored(row["recorded_at"], row["projected_at"], row["projector"], shard)
        for row in rows
    }
