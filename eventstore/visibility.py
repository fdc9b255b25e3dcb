"""How far a reader of the global order may safely read, and why.

Positions are given out before transactions commit, so a later position can become visible first. A reader that
passes it loses the earlier event for good: the *silent skip*.

Strategy `watermark` (ADR 0002). Before its first position, every writing transaction announces the last
position given out so far, by a shared advisory lock that ends with the transaction; a trigger on `events` does it,
so no writer can forget. `safe_position()` reads the last position given out, then the announcements still
standing, and returns the smallest. A writer with an uncommitted position p announced some value < p before taking
it. Either the reader sees the announcement and stays below p, or the writer announced later and p lies above the
value that the reader took first. Locks end after the commit became visible, so a statement *that begins
afterwards* sees everything up to the safe position; the window must therefore be a second statement.

A stalled writer holds back the serial reader at its own position, and nobody else: no writer waits, and foreign
transactions do not count.

Strategy `naive` reads up to the highest visible position. It loses events, and is kept as the control that must fail.
"""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import BigInteger, func, select

from eventstore.database import Database, Statement
from eventstore.events import Position
from eventstore.read import HEAD

Visibility = Literal["watermark", "naive"]

WATERMARK: Final = Statement(select(func.safe_position(type_=BigInteger).label("position")))

STRATEGIES: Final[dict[Visibility, Statement]] = {"watermark": WATERMARK, "naive": HEAD}


async def safe_position(database: Database, strategy: Visibility = "watermark") -> Position:
    """The position up to which nothing can still commit. Read events in a later statement."""
    (row,) = await database.fetch(STRATEGIES[strategy])
    return Position(row["position"])
