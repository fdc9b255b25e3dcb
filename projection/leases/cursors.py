"""Checkpoint and lease of the global order: one cursor, held by one projector at a time.

Each claim raises its epoch, which fences whoever held it before. All times are the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from eventstore.events import Position
from projection.leases import claimable
from projection.leases.claimable import NOW

CURSOR: Final = "todos"
"""The name of the one cursor, as stored: of all read models, whatever they are called."""

PREPARE: Final = Statement(text("INSERT INTO cursors (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"))

CLAIM: Final = Statement(
    text(f"""
WITH free AS MATERIALIZED (
  SELECT holder AS former
    FROM cursors c
   WHERE name = :name AND {claimable.cursor(NOW)}
     FOR UPDATE SKIP LOCKED
),
claimed AS (
  UPDATE cursors c
     SET holder = :holder, epoch = c.epoch + 1, leased_until = {NOW} + :ttl ::interval,
         attempts = CASE WHEN c.blocked_at IS NULL THEN c.attempts ELSE 0 END, blocked_at = NULL
    FROM free
   WHERE c.name = :name
  RETURNING c.epoch, c.position
),
counted AS (
  UPDATE projectors
     SET claims = claims + 1, leases_held = 1,
         takeovers = takeovers + n.taken_over,
         last_takeover_at = CASE WHEN n.taken_over > 0 THEN clock_timestamp() ELSE last_takeover_at END
    FROM (SELECT count(*) AS claimed, count(former) AS taken_over FROM free) AS n
   WHERE holder = :holder AND n.claimed > 0
)
SELECT epoch, position FROM claimed
""")
)

# A row that a batch has locked right now is passed over: the batch keeps others away as long as it takes, which may be
# longer than the lease.
RENEW: Final = Statement(
    text(f"""
WITH free AS MATERIALIZED (
  SELECT leased_until FROM cursors
   WHERE name = :name AND holder = :holder AND epoch = :epoch
     FOR UPDATE SKIP LOCKED
),
renewed AS (
  UPDATE cursors c SET leased_until = {NOW} + :ttl ::interval
    FROM free WHERE c.name = :name AND free.leased_until > {NOW}
)
SELECT EXISTS (
  SELECT FROM cursors c
   WHERE name = :name AND holder = :holder AND epoch = :epoch
     AND (leased_until > {NOW} OR NOT EXISTS (SELECT FROM free))
) AS held
""")
)

RELEASE: Final = Statement(
    text("""
WITH released AS (
  UPDATE cursors SET holder = NULL, leased_until = NULL
   WHERE name = :name AND holder = :holder AND epoch = :epoch
)
UPDATE projectors SET leases_held = 0 WHERE holder = :holder
""")
)


@dataclass(frozen=True, slots=True)
class CursorLease:
    """A term on the cursor; `position` is where it stood when it was claimed."""

    name: str
    holder: str
    epoch: int
    position: Position


async def prepare(database: Database, name: str) -> None:
    """Make sure that the cursor exists; a new one stands before the first event."""
    await database.fetch(PREPARE, name=name)


async def claim(
    database: Database, name: str, holder: str, *, ttl: timedelta, now: datetime | None = None
) -> CursorLease | None:
    """Lease the cursor, or None while it is held, blocked, or waiting for its next attempt."""
    rows = await database.fetch(CLAIM, name=name, holder=holder, ttl=ttl, now=now)
    return CursorLease(name, holder, rows[0]["epoch"], Position(rows[0]["position"])) if rows else None


async def renew(database: Database, lease: CursorLease, *, ttl: timedelta, now: datetime | None = None) -> bool:
    """Prolong the lease if it is still held; never waits for a batch. False when it has ended or passed on."""
    (row,) = await database.fetch(RENEW, name=lease.name, holder=lease.holder, epoch=lease.epoch, ttl=ttl, now=now)
    return bool(row["held"])


async def release(database: Database, lease: CursorLease) -> None:
    """End the lease if it is still held. The holder has no lease afterwards."""
    await database.fetch(RELEASE, name=lease.name, holder=lease.holder, epoch=lease.epoch)
