"""Who is alive: one row per projector, kept by a heartbeat."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from eventstore.database import Database, Statement

# Rows of projectors that ended long ago are removed here, where a new one begins, so that the table stays small.
REGISTER: Final = Statement(
    text("""
WITH forgotten AS (
  DELETE FROM projectors WHERE alive_until < clock_timestamp() - interval '1 hour' AND holder <> :holder
)
INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until)
VALUES (:holder, :mode, clock_timestamp(), clock_timestamp(), clock_timestamp() + :ttl ::interval)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, seen_at = excluded.seen_at, leases_held = 0,
  alive_until = excluded.alive_until
""")
)

BEAT: Final = Statement(
    text("""
UPDATE projectors SET seen_at = clock_timestamp(), alive_until = clock_timestamp() + :ttl ::interval
 WHERE holder = :holder
""")
)

RETIRE: Final = Statement(
    text("""
UPDATE projectors SET seen_at = clock_timestamp(), alive_until = clock_timestamp(), leases_held = 0
 WHERE holder = :holder
""")
)


async def register(database: Database, holder: str, mode: str, ttl: timedelta) -> None:
    """Announce the projector. Its counters go on where they were, if it was known."""
    await database.fetch(REGISTER, holder=holder, mode=mode, ttl=ttl)


async def beat(database: Database, holder: str, ttl: timedelta) -> None:
    """Say that the projector lives."""
    await database.fetch(BEAT, holder=holder, ttl=ttl)


async def retire(database: Database, holder: str) -> None:
    """Say that the projector has ended."""
    await database.fetch(RETIRE, holder=holder)
