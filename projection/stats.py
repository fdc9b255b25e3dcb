"""Store statistics: one snapshot by one statement, whose cost does not grow with streams, events or backlog.

All counts come from one snapshot, so `appended - projected` is the exact backlog of that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from projection.blocked import COUNT, LIST
from projection.leases.claimable import PENDING

STATS: Final = Statement(
    text(f"""
WITH counted AS (
  SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(streams), 0)::bigint AS streams,
         coalesce(sum(projected), 0)::bigint AS projected, coalesce(max(projected_position), 0) AS projected_position,
         max(projected_at) AS projected_at, coalesce(sum(drains), 0)::bigint AS drains
    FROM tallies
),
newest AS (
  SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1
),
recent AS (
  SELECT e.position, e.stream, e.version, e.type, e.recorded_at, a.projected_at, a.projector, a.epoch
    FROM (SELECT * FROM projection_audit ORDER BY id DESC LIMIT 10) AS a
   CROSS JOIN LATERAL (
     SELECT * FROM events
      WHERE stream = a.stream AND version BETWEEN a.from_version AND a.to_version
      ORDER BY version DESC LIMIT 10
   ) AS e
   ORDER BY a.id DESC, e.version DESC
   LIMIT 10
),
blocked AS (
{LIST.strip()}
),
known AS (
  SELECT holder, mode, strategy, handler, read_models, alive_until > clock_timestamp() AS alive, started_at, seen_at,
         CASE WHEN alive_until > clock_timestamp() THEN leases_held ELSE 0 END AS leases_held, claims, batches,
         events_projected, duplicates, takeovers, last_takeover_at, sessions, fenced, time_limits,
         listening AND alive_until > clock_timestamp() AS listening,
         connections_open, connections_used, connections_awaited, waiting
    FROM projectors
   ORDER BY alive_until DESC
   LIMIT 64
)
SELECT clock_timestamp() AS observed_at,
       counted.events, counted.streams, counted.projected, counted.projected_position, counted.projected_at,
       counted.drains, newest.position AS last_position, newest.recorded_at AS last_recorded_at,
       least(
         (SELECT min(pending_since) FROM streams WHERE {PENDING}),
         (SELECT min(pending_since) FROM streams WHERE blocked_at IS NOT NULL)
       ) AS pending_since,
       {COUNT} AS blocked_streams,
       (SELECT coalesce(json_agg(recent), '[]') FROM recent) AS recent,
       (SELECT coalesce(json_agg(blocked), '[]') FROM blocked) AS blocked,
       (SELECT coalesce(json_agg(known), '[]') FROM known) AS projectors
  FROM counted LEFT JOIN newest ON true
""")
)

DRAINED: Final = Statement(
    text("""
INSERT INTO tallies (slot, drains) VALUES (:slot ::smallint, 1)
ON CONFLICT (slot) DO UPDATE SET drains = tallies.drains + 1
""")
)


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """One of the events projected last."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    projected_at: datetime
    projector: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """A stream (or, in serial mode, the whole projection) that waits for an operator, at which event, and why."""

    scope: str
    stream: str | None
    version: int | None
    position: int | None
    error: str | None
    attempts: int
    blocked_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectorStats:
    """One projector, alive or not: leases held now, and what it has done since its start.

    `sessions`: how often it began, at its start and each time that the store was back. `fenced`: leases that it
    found lost when it came to write or to renew. `listening`: it hears notifications. `waiting`: why it may
    not work. `strategy`, `handler`, `read_models`: None for one that ended before it could say. The rest is its pool's.
    """

    holder: str
    mode: str
    strategy: str | None
    handler: str | None
    read_models: str | None
    alive: bool
    started_at: datetime
    seen_at: datetime
    leases_held: int
    claims: int
    batches: int
    events_projected: int
    duplicates: int
    takeovers: int
    last_takeover_at: datetime | None
    sessions: int
    fenced: int
    time_limits: int
    listening: bool
    connections_open: int
    connections_used: int
    connections_awaited: int
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """One snapshot. Times are the database's clock; positions are 0 where there is none."""

    observed_at: datetime
    events: int
    streams: int
    projected: int
    projected_position: int
    projected_at: datetime | None
    last_position: int
    last_recorded_at: datetime | None
    pending_since: datetime | None
    drains: int
    blocked_streams: int
    recent: list[RecentEvent]
    blocked: list[Blocked]
    projectors: list[ProjectorStats]

    @property
    def backlog(self) -> int:
        """Sum over all streams of head version - projected version; exact."""
        return self.events - self.projected

    @property
    def oldest_unprojected_age_ms(self) -> float:
        """Age of the oldest event that is not projected, 0.0 when there is none."""
        if self.pending_since is None:
            return 0.0
        return max(0.0, (self.observed_at - self.pending_since).total_seconds() * 1000)


async def read_stats(database: Database) -> Stats:
    """Read one snapshot of the store's stats, in one statement. Raises StoreUnavailable."""
    (row,) = await database.fetch(STATS)
    values: dict[str, Any] = dict(row)
    values["last_position"] = values["last_position"] or 0
    values["recent"] = msgspec.convert(values["recent"], list[RecentEvent])
    values["blocked"] = msgspec.convert(values["blocked"], list[Blocked])
    values["projectors"] = msgspec.convert(values["projectors"], list[ProjectorStats])
    return Stats(**values)


async def count_drain(database: Database, slot: int) -> None:
    """Count one wake-up that was asked for by hand."""
    await database.fetch(DRAINED, slot=slot)
