"""(xid, position) below pg_snapshot_xmin: read only what is older than every transaction under way in the cluster.

The cursor is the pair: transaction ids and positions need not grow in the same order, so a cursor on the position alone
passes over an event with a lower position and a later transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from bench.answers.ordering.strategy import BARE, COLUMNS, PAGE, PLAIN, Follower, Seen, Strategy, events

SCHEMA: Final = (
    "ALTER TABLE events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()",
    "CREATE INDEX events_by_xid ON events (xid, position)",
)

SETTLED: Final = f"""
SELECT {COLUMNS}, xid::text AS xid
  FROM events
 WHERE (xid, position) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY events.xid, position
 LIMIT {PAGE}
"""


class ByPair:
    """Reads on from the last pair of transaction and position. One statement, so horizon and rows are one snapshot."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._xid, self._position = "0", 0

    async def read(self) -> Sequence[Seen]:
        """What is below the horizon."""
        rows = await self._page.fetch(self._xid, self._position)
        if rows:
            self._xid, self._position = rows[-1]["xid"], rows[-1]["position"]
        return events(rows)


async def follow(connection: asyncpg.Connection) -> Follower:
    """From the beginning."""
    return ByPair(await connection.prepare(SETTLED))


STRATEGY: Final = Strategy(
    title="(xid, position) below pg_snapshot_xmin, the cursor is the pair",
    append=PLAIN,
    follow=follow,
    guarantee="all below the horizon is over, whoever wrote it",
    price="a column and an index; the reader is as far behind as the oldest writing transaction of the cluster",
    failure="any transaction with an xid in any database stalls the reader; versions of a stream can come inverted;"
    " xids start anew after dump and restore",
    schema=(*BARE, *SCHEMA),
)
