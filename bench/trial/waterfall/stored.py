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
    """By the database's clock, each within the statement that wrote it, before its commit."""

    recorded_at: datetime
    projected_at: datetime
    projector: str


async def read(url: str, events: Sequence[Event]) -> dict[Event, Stored]:
    """Those of the events whose effect is written."""
    connection = await connect(url, application_name="bench-waterfall")
    try:
        streams, versions = [stream for stream, _ in events], [version for _, version in events]
        rows = await connection.fetch(EVENTS, streams, versions)
    finally:
        await connection.close()
    return {(r["stream"], r["version"]): Stored(r["recorded_at"], r["projected_at"], r["projector"]) for r in rows}
