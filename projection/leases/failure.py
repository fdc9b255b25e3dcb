"""Retry with exponential back-off, then a block: what an event that can not be applied does to its stream or cursor.

Each failure ends the lease and puts off the next attempt, twice as long each time (0.1 s, 0.2 s … 30 s at most). After
the last attempt it is *blocked*, with the error and the number of attempts kept, until an operator acts. Fenced by
holder and epoch like everything else.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from eventstore.sqlstates import kind_of
from projection.leases.contract import Lease
from projection.leases.cursors import CursorLease


def blames_an_event(error: Exception) -> bool:
    """True when the table (`eventstore.sqlstates`) says that what was sent can not be applied, now or later.

    Everything else either passes, or is a defect that the projector ends with: no event is counted for it.
    """
    return kind_of(error) == "poison"


def reason_of(error: Exception) -> str:
    """The words that are kept of a failure."""
    return f"{type(error).__name__}: {error}"


_FAILED: Final = """
  SET attempts = attempts + 1, error = :error, holder = NULL, leased_until = NULL,
      retry_at = clock_timestamp() + least(30, 0.1 * 2 ^ least(attempts, 20)) * interval '1 second',
      blocked_at = CASE WHEN attempts + 1 >= :most ::int THEN clock_timestamp() END
"""

_COUNTED: Final = """
counted AS (
  UPDATE projectors SET leases_held = :others ::int WHERE holder = :holder
)
SELECT blocked FROM failed
"""

FAIL_STREAM: Final = Statement(
    text(f"""
WITH failed AS (
  UPDATE streams {_FAILED}
   WHERE stream = :stream AND holder = :holder AND epoch = :epoch
  RETURNING blocked_at IS NOT NULL AS blocked
),
{_COUNTED}
""")
)

FAIL_CURSOR: Final = Statement(
    text(f"""
WITH failed AS (
  UPDATE cursors {_FAILED}, stream = :stream, version = :version ::int
   WHERE name = :name AND holder = :holder AND epoch = :epoch
  RETURNING blocked_at IS NOT NULL AS blocked
),
{_COUNTED}
""")
)


async def fail_stream(database: Database, lease: Lease, *, error: str, most: int, others: int) -> bool:
    """Record one failed attempt at a stream; `others` leases stay in hand. True when it is blocked now."""
    rows = await database.fetch(
        FAIL_STREAM, stream=lease.stream, holder=lease.holder, epoch=lease.epoch, error=error, most=most, others=others
    )
    return bool(rows and rows[0]["blocked"])


async def fail_cursor(
    database: Database, lease: CursorLease, *, stream: str, version: int, error: str, most: int
) -> bool:
    """Record one failed attempt at the cursor's next event. True when the projection is blocked now."""
    rows = await database.fetch(
        FAIL_CURSOR,
        name=lease.name,
        holder=lease.holder,
        epoch=lease.epoch,
        stream=stream,
        version=version,
        error=error,
        most=most,
        others=0,
    )
    return bool(rows and rows[0]["blocked"])
