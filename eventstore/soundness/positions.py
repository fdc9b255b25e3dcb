"""Repair of the sequence of a store that was restored, cut or promoted: it goes on above the newest event, never back.

For a transaction, which keeps appends and batches out where the role may lock the table; else they are kept out by the
schema's own refusal for as long as the sequence is behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

LOCK: Final = "LOCK TABLE streams IN EXCLUSIVE MODE"
MAY_LOCK: Final = "SELECT has_table_privilege('streams', 'UPDATE')"

STATE: Final = """
SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_position_seq) AS given,
       coalesce((SELECT max(position) FROM events), 0) AS newest
"""

# Never back, also when somebody takes a position at this moment.
SET_SEQUENCE: Final = "SELECT setval('events_position_seq', greatest($1, last_value)) FROM events_position_seq"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Where the sequence stood, the newest event, and after which position it goes on now."""

    given: int
    newest: int
    goes_on_after: int


async def keep_writers_out(connection: asyncpg.Connection) -> None:
    """Until the transaction ends, where the role may. A batch that is under way is waited for."""
    if await connection.fetchval(MAY_LOCK):
        await connection.execute(LOCK)


async def go_on_above(connection: asyncpg.Connection, position: int) -> Sequence:
    """Put the sequence above the newest event and above `position`. Raises the errors of the driver."""
    row = await connection.fetchrow(STATE)
    given, newest = row["given"], row["newest"]
    after = max(given, newest, position)
    if after != given:
        await connection.execute(SET_SEQUENCE, after)
    return Sequence(given, newest, after)
