"""Recorded list of read models: by which READ_MODELS the store's checkpoints were made, so that no other one goes on.

All read models of a store share one checkpoint for each stream, so whoever projects by another list leaves one of them
wrong. The first session on a store where nothing is projected records its list; after that a `reset --all` alone
changes it (`projection.operator.relist`). While `becoming` is set, it is doing so, or was broken off, and nobody works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from eventstore.errors import StoreUnsound
from projection.leases.cursors import CURSOR

READ: Final = Statement(text("SELECT read_models, becoming FROM kept_read_models WHERE projection = :projection"))

# Two that begin at once meet in the primary key: one list is recorded, and the other session reads it afterwards.
RECORD: Final = Statement(
    text("""
WITH recorded AS (
  INSERT INTO kept_read_models (projection, read_models)
  SELECT :projection ::text, :read_models ::text[]
   WHERE NOT EXISTS (SELECT FROM kept_read_models WHERE projection = :projection)
     AND (SELECT coalesce(sum(projected), 0) FROM tallies) = 0
     AND NOT EXISTS (SELECT FROM cursors WHERE name = :projection AND position > 0)
  ON CONFLICT (projection) DO NOTHING
  RETURNING read_models, becoming
)
SELECT read_models, becoming FROM recorded
 UNION ALL
SELECT read_models, becoming FROM kept_read_models WHERE projection = :projection
""")
)


class OtherReadModels(StoreUnsound):
    """READ_MODELS is not the list by which the store is projected; the message has both. Nothing was tried."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The list by which the store is projected, and that which a `reset --all` is bringing in."""

    read_models: tuple[str, ...]
    becoming: tuple[str, ...] | None = None

    def refusal(self, mine: Sequence[str]) -> str:
        """Why a process with the list `mine` may not work; empty: it may."""
        if self.becoming is not None:
            new = ",".join(self.becoming)
            return (
                f"READ_MODELS={','.join(mine)}: `reset --all` is on its way from {','.join(self.read_models) or '?'} to"
                f" {new}, or was broken off there; run `{COMMAND}` with READ_MODELS={new} to its end"
            )
        if set(self.read_models) == set(mine):
            return ""
        return _different(mine, f"the store is projected by {','.join(self.read_models)}")


COMMAND: Final = "python -m services.projector reset --all"


async def recorded(database: Database) -> Recorded | None:
    """The store's list; None where it has none."""
    return _of(await database.fetch(READ, projection=CURSOR))


def _of(rows: Sequence[asyncpg.Record]) -> Recorded | None:
    if not rows:
        return None
    becoming = rows[0]["becoming"]
    return Recorded(tuple(rows[0]["read_models"]), None if becoming is None else tuple(becoming))


async def agree(database: Database, mine: Sequence[str]) -> None:
    """Before a projector works: record its list where nothing is projected. Raises OtherReadModels."""
    found = _of(await database.fetch(RECORD, projection=CURSOR, read_models=list(mine)))
    if found is None:
        # Another one recorded its list meanwhile, which this statement's snapshot has not.
        found = await recorded(database)
    if found is None:
        raise OtherReadModels(_different(mine, "the store does not say by which read models it is projected"))
    if refusal := found.refusal(mine):
        raise OtherReadModels(refusal)


async def require(database: Database, mine: Sequence[str]) -> None:
    """Before a command of an operator that keeps the list; records nothing. Raises OtherReadModels."""
    found = await recorded(database)
    if found is not None and (refusal := found.refusal(mine)):
        raise OtherReadModels(refusal)


def _different(mine: Sequence[str], why: str) -> str:
    told = ",".join(mine)
    return (
        f"READ_MODELS={told}: {why}; set READ_MODELS so, or stop the projectors and run `{COMMAND}`"
        f" with READ_MODELS={told}"
    )
