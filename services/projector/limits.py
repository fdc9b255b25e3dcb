"""The server's time limits, as this session has them: which one a job could not keep, and who has set it."""

from __future__ import annotations

from typing import Final

import asyncpg

from eventstore.connection.database import Database
from eventstore.errors import StoreError

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


async def told(database: Database) -> str:
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
