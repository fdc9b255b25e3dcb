"""Blocked streams and cursor: one definition for all who ask, `/stats`, metrics, the bench, `--once`, the claim.

A stream is blocked from its last failed attempt until somebody moves its checkpoint, or an operator acts. The serial
cursor is blocked at one event, named by stream and version, until that event has taken effect (by leases of streams,
after a change of mode), or an operator acts.
"""

from __future__ import annotations

from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.database import Database
from eventstore.connection.statement import Statement
from projection.leases.claimable import HALTED

# The event that blocks the cursor may be the one that blocks its stream, too: that is one stream.
COUNT: Final = f"""(SELECT count(*) FROM streams WHERE blocked_at IS NOT NULL) + (
  SELECT count(*) FROM cursors c
   WHERE {HALTED}
     AND NOT EXISTS (SELECT FROM streams s WHERE s.stream = c.stream AND s.blocked_at IS NOT NULL OFFSET 0))"""
"""How many streams wait for an operator, that of the cursor included."""

LISTED: Final = 10

LIST: Final = f"""
  SELECT 'projection' AS scope, c.stream, c.version, c.position, c.error, c.attempts, c.blocked_at
    FROM cursors c WHERE {HALTED}
  UNION ALL
  SELECT * FROM (
    SELECT 'stream', stream, projected + 1, NULL::bigint, error, attempts, blocked_at
      FROM streams WHERE blocked_at IS NOT NULL ORDER BY blocked_at LIMIT {LISTED}
  ) AS streams_blocked
"""
"""The cursor, and the streams that have waited longest, with the event that each waits at."""

_LISTED: Final = Statement(
    text(f"SELECT scope, stream, version, error, attempts FROM ({LIST}) AS listed ORDER BY blocked_at")
)


async def blocked(database: Database) -> list[asyncpg.Record]:
    """The rows of `LIST`, none while nothing waits for an operator. Raises StoreUnavailable."""
    return await database.fetch(_LISTED)
