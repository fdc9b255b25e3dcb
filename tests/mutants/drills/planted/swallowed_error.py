"""Swallowed error: an event that can not be applied is passed over, by a projector's own rights, and nobody is told."""

from __future__ import annotations

from typing import Final

from projection.leases.work import Work
from projection.ordering.stream_leases import StreamLeases

SERIAL: Final = False
COSTLY_HANDLER: Final = True
LEASES: Final = True

PASS_OVER: Final = """
WITH passed AS (
  UPDATE streams
     SET projected = projected + 1, attempts = 0, retry_at = NULL, error = NULL, holder = NULL, leased_until = NULL,
         pending_since = CASE WHEN projected + 1 < version THEN pending_since END
   WHERE stream = $1 AND holder = $2 AND epoch = $3
  RETURNING stream, projected
),
shown AS (
  UPDATE todos t SET version = passed.projected FROM passed WHERE t.id = passed.stream
)
INSERT INTO tallies (slot, projected) SELECT $4::smallint, 1 FROM passed
ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + 1
"""


class Swallowing(StreamLeases):
    """Goes on after what it could not apply."""

    async def _fail(self, work: Work, reason: str) -> None:
        lease = work.lease
        async with self._tools.database.connection() as connection:
            await connection.execute(PASS_OVER, lease.stream, lease.holder, lease.epoch, self._tools.slot)
        del self._in_flight[lease.stream]


MAKE: Final = Swallowing
