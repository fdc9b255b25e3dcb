"""Repair of the sequence and the serial cursor of a store that was restored, cut or promoted.

One transaction, which keeps appends and batches out where the role may lock the table; else they are kept out by the
schema's own refusal for as long as the sequence is behind: the sequence goes on above the newest event and above every
cursor, never back; a cursor goes back before the first event that is not projected, or to the end of the log. What a
projection has seen already it passes by, so going back costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import asyncpg

# The table first: a batch that is under way has its cursor already, and one that begins has nothing yet.
LOCK: Final = "LOCK TABLE streams IN EXCLUSIVE MODE"
MAY_LOCK: Final = "SELECT has_table_privilege('streams', 'UPDATE')"
LOCK_CURSOR: Final = "SELECT FROM cursors WHERE name = $1 FOR UPDATE"

STATE: Final = """
SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_position_seq) AS given,
       coalesce((SELECT max(position) FROM events), 0) AS newest,
       c.position AS cursor,
       (SELECT min(e.position)
          FROM streams s
         CROSS JOIN LATERAL (
           SELECT position FROM events WHERE stream = s.stream AND version = s.projected + 1 OFFSET 0
         ) AS e
         WHERE s.pending_since IS NOT NULL AND e.position <= c.position) AS passed
  FROM (SELECT) AS one LEFT JOIN cursors c ON c.name = $1
"""

# Never back, also when somebody takes a position at this moment.
SET_SEQUENCE: Final = "SELECT setval('events_position_seq', greatest($1, last_value)) FROM events_position_seq"

SET_CURSOR: Final = """
UPDATE cursors SET position = $2, epoch = epoch + 1, holder = NULL, leased_until = NULL WHERE name = $1
"""


@dataclass(frozen=True, slots=True)
class Repair:
    """Where sequence and cursor stood, and stand now. `cursor` is None where no projector was ever serial."""

    newest: int
    given: int
    goes_on_after: int
    cursor: int | None
    cursor_now: int | None

    def lines(self) -> Iterator[str]:
        """What was done, for people."""
        if self.goes_on_after != self.given:
            yield (
                f"the sequence events_position_seq stood at {self.given}, the newest event at {self.newest}:"
                f" positions go on after {self.goes_on_after}"
            )
        if self.cursor != self.cursor_now:
            yield (
                f"the serial cursor stood at {self.cursor}, where the newest event is {self.newest}:"
                f" it goes on after {self.cursor_now}"
            )
        if self.goes_on_after == self.given and self.cursor == self.cursor_now:
            yield f"nothing to repair: the sequence stands at {self.given}, the newest event at {self.newest}"


async def repair(connection: asyncpg.Connection, cursor: str) -> Repair:
    """Put the sequence, and the cursor of that name, where the log wants them. For a transaction; raises its errors."""
    if await connection.fetchval(MAY_LOCK):
        await connection.execute(LOCK)
    await connection.execute(LOCK_CURSOR, cursor)
    row = await connection.fetchrow(STATE, cursor)
    given, newest, at = row["given"], row["newest"], row["cursor"]
    after = max(given, newest, at or 0)
    if after != given:
        await connection.execute(SET_SEQUENCE, after)
    now = at if at is None else min(at, newest, (row["passed"] or at + 1) - 1)
    if now != at:
        await connection.execute(SET_CURSOR, cursor, now)
    return Repair(newest, given, after, at, now)
