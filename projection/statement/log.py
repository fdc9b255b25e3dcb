"""Read-ahead of the log after the cursor: what comes next in the global order, without applying it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from eventstore.connection.database import Statement
from projection.leases.claimable import HALTED

# What has taken effect already is passed by without the handler, so it costs nothing.
AHEAD: Final = Statement(
    text("""
SELECT count(*) AS events, max(e.position) AS last,
       count(*) FILTER (WHERE e.version > coalesce(s.projected, 0)) AS unprojected
  FROM (
    SELECT position, stream, version FROM events
     WHERE position > :after AND position <= :upto ORDER BY position LIMIT :limit
  ) AS e
  LEFT JOIN LATERAL (SELECT projected FROM streams WHERE stream = e.stream OFFSET 0) AS s ON true
""")
)

NEXT: Final = Statement(
    text("SELECT stream, version FROM events WHERE position > :after AND position <= :upto ORDER BY position LIMIT 1")
)

# With OFFSET the look at the log stays one lookup by position, and is no join.
PENDING: Final = Statement(
    text(f"""
SELECT c.position
  FROM cursors c
 WHERE c.name = :name AND NOT {HALTED}
   AND EXISTS (SELECT FROM events e WHERE e.position > c.position OFFSET 0)
""")
)
