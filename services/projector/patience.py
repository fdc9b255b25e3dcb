"""Exponential back-off of a worker that the store refuses, and what a job does not wait for."""

from __future__ import annotations

import random
from typing import Final

import asyncpg
import structlog

from eventstore.connection.database import Database
from eventstore.errors import StoreBusy, StoreError, TimeLimit
from eventstore.sqlstates import kind_of
from projection.pauses import LONGEST_PAUSE_S

AWAY_S: Final = 5.0
"""The longest pause where the store is away or unsound."""

LIMITS_IN_A_ROW: Final = 10
"""How often in a row a job may meet a time limit with the smallest piece of work there is."""

log = structlog.get_logger()

NAMES: Final = ("statement_timeout", "transaction_timeout", "lock_timeout")

# This question itself must not meet the limit. What the session had before, it would be reset to.
UNHURRIED: Final = "SET LOCAL statement_timeout = 0"

LIMITS: Final = """
SELECT s.name, s.reset_val || coalesce(s.unit, '') AS value,
       CASE WHEN d.setdatabase > 0 AND d.setrole > 0 THEN 'ALTER ROLE … IN DATABASE'
            WHEN d.setdatabase > 0 THEN 'ALTER DATABASE'
            WHEN d.setrole > 0 THEN 'ALTER ROLE'
            ELSE 'the server, or the connection' END AS by
  FROM pg_settings s
  LEFT JOIN LATERAL (
    SELECT setdatabase, setrole
      FROM pg_db_role_setting, unnest(setconfig) AS entry
     WHERE split_part(entry, '=', 1) = s.name
       AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
       AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
     ORDER BY setdatabase > 0 AND setrole > 0 DESC, setrole > 0 DESC LIMIT 1
  ) AS d ON true
 WHERE s.name = ANY ($1) AND s.reset_val <> '0'
"""


class DoesNotFit(Exception):
    """A job met a time limit of the server's again and again, with the smallest piece of work there is."""


async def told_limits(database: Database) -> str:
    """Which limits there are, in one line. Raises nothing of the store's."""
    try:
        async with database.connection() as connection, connection.transaction():
            await connection.execute(UNHURRIED)
            rows = await connection.fetch(LIMITS, list(NAMES))
    except (StoreError, asyncpg.PostgresError) as error:
        return f"the smallest piece of work meets a time limit of the server's, which it does not tell: {error}"
    if not rows:
        return "the smallest piece of work was canceled again and again, and the server has no time limit for it"
    limits = ", ".join(f"{row['name']}={row['value']} (set by {row['by']})" for row in rows)
    return f"the smallest piece of work meets a time limit of the server's: {limits}"


class Patience:
    """How long to wait, each time longer until something came of it. A `job` waits for a store that is away alone."""

    def __init__(self, database: Database, *, job: bool) -> None:
        self._database: Final = database
        self._job: Final = job
        self._pause = 0.0
        self._refused = 0

    def rewarded(self) -> None:
        """Something came of the last attempt."""
        self._pause, self._refused = 0.0, 0

    def pause_s(self, longest: float = AWAY_S) -> float:
        """Twice the last pause, at random by half, in seconds."""
        self._pause = min(longest, max(0.1, self._pause * 2))
        return self._pause * random.uniform(0.5, 1.0)

    async def refused_s(self, error: Exception) -> float:
        """How long to wait after this refusal, in seconds. Raises DoesNotFit, or the error, where a job gives up."""
        busy = isinstance(error, StoreBusy)
        log.warning("store busy" if busy else "store away", error=str(error))
        if self._job:
            await self._give_up(error)
        return self.pause_s(LONGEST_PAUSE_S if busy else AWAY_S)

    async def _give_up(self, error: Exception) -> None:
        """What the store refuses again and again a job can not wait for."""
        if kind_of(error) == "away" or (isinstance(error, StoreBusy) and not isinstance(error, TimeLimit)):
            return
        self._refused += 1
        if self._refused < LIMITS_IN_A_ROW:
            return
        if isinstance(error, TimeLimit):
            raise DoesNotFit(await told_limits(self._database)) from error
        raise error
