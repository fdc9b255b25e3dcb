"""Membership by heartbeat: one row per projector, alive until a moment of the database's clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from projection.settings import ProjectionSettings

# Rows of projectors that ended long ago are removed here, where a new one begins, so that the table stays small.
REGISTER: Final = Statement(
    text("""
WITH forgotten AS (
  DELETE FROM projectors WHERE alive_until < clock_timestamp() - interval '1 hour' AND holder <> :holder
)
INSERT INTO projectors (holder, mode, strategy, handler, read_models, started_at, seen_at, alive_until, sessions)
VALUES (:holder, :mode, :strategy, :handler, :read_models, clock_timestamp(), clock_timestamp(),
        clock_timestamp() + :ttl ::interval, 1)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, strategy = excluded.strategy,
  handler = excluded.handler, read_models = excluded.read_models,
  seen_at = excluded.seen_at, leases_held = 0, alive_until = excluded.alive_until,
  sessions = projectors.sessions + 1, waiting = NULL
""")
)

WAIT: Final = Statement(
    text("""
INSERT INTO projectors (holder, mode, strategy, handler, read_models, started_at, seen_at, alive_until, waiting)
VALUES (:holder, :mode, :strategy, :handler, :read_models, clock_timestamp(), clock_timestamp(),
        clock_timestamp() + :ttl ::interval, :why)
ON CONFLICT (holder) DO UPDATE SET mode = excluded.mode, strategy = excluded.strategy,
  handler = excluded.handler, read_models = excluded.read_models,
  seen_at = excluded.seen_at, leases_held = 0, alive_until = excluded.alive_until, waiting = excluded.waiting
""")
)

_TOLD: Final = """fenced = :fenced ::bigint, time_limits = :time_limits ::bigint, listening = :listening ::bool,
       connections_open = :open ::int, connections_used = :used ::int, connections_awaited = :awaited ::int"""

BEAT: Final = Statement(
    text(f"""
UPDATE projectors
   SET seen_at = clock_timestamp(), alive_until = clock_timestamp() + :ttl ::interval, {_TOLD}
 WHERE holder = :holder
""")
)

RETIRE: Final = Statement(
    text(f"""
UPDATE projectors
   SET seen_at = clock_timestamp(), alive_until = clock_timestamp(), leases_held = 0, {_TOLD}
 WHERE holder = :holder
""")
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a projector tells of itself beside its name: see `ordering.strategy.Counts`, `connection.pool`."""

    fenced: int = 0
    time_limits: int = 0
    listening: bool = False
    open: int = 0
    used: int = 0
    awaited: int = 0


async def register(database: Database, settings: ProjectionSettings) -> None:
    """Announce the projector, at its start and each time that the store is back. Its counters go on where they were."""
    await database.fetch(REGISTER, **_named(settings))


async def wait(database: Database, settings: ProjectionSettings, why: str) -> None:
    """Say that the projector lives, and what it waits for before it can work."""
    await database.fetch(WAIT, **_named(settings), why=why)


async def beat(database: Database, holder: str, ttl: timedelta, told: Told) -> None:
    """Say that the projector lives, and how it is."""
    await database.fetch(BEAT, holder=holder, ttl=ttl, **asdict(told))


async def retire(database: Database, holder: str, told: Told) -> None:
    """Say that the projector has ended, and how it was."""
    await database.fetch(RETIRE, holder=holder, **asdict(told))


def _named(settings: ProjectionSettings) -> dict[str, object]:
    return {
        "holder": settings.name,
        "mode": settings.mode,
        "strategy": settings.strategy,
        "handler": settings.handler,
        "read_models": ",".join(settings.read_models),
        "ttl": settings.lease,
    }
