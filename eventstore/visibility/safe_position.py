"""How far a reader of the global order may safely read, and why.

Positions are given out before transactions commit, so a later position can become visible first. A reader that
passes it loses the earlier event for good: the *silent skip*.

Strategy `watermark` (ADR 0002). Before its first position, every writing transaction announces the last position
given out so far, by a shared advisory lock on that number; a trigger on `events` does it, so no writer can forget.
`safe_position()` reads the last position given out, `head`, and then the announcements standing, and returns the
smallest of all. Let p be a position whose transaction is not over at that second step:

1. its announcement a was read from the sequence before p was taken from it, so a < p;
2. if the announcement stood at the second step, the answer is at most a, below p;
3. if it did not stand yet, it came later, and p later still: after `head` was read, so p > head.

So everything up to the answer is committed or will never be. Postgres ends a transaction's locks after its rows became
visible, so a statement *that begins afterwards* sees all of it. The window must be a second statement, outside a
transaction with a snapshot older than the answer.

What the proof rests on, and what makes it hold for writers that do not use `eventstore.append.general`:

* a position comes from the sequence, after the trigger: the column is GENERATED ALWAYS, so an insert that brings its
  own is refused (OVERRIDING SYSTEM VALUE, COPY with positions and a restore are not: keep readers away from those);
* the sequence gives out one number at a time: CACHE is 1;
* one announcement a transaction, its first, holds for all its statements. One that a savepoint undoes takes the
  positions after it along. A prepared transaction keeps its announcement, through a restart too;
* the announcement names the whole position (48 bits of it), so its age does not matter;
* triggers are on: a superuser can turn them off.

All of this is checked while it runs (`eventstore.soundness`, ADR 0017), and `check_position` refuses a position that is
not above the announcement.

A stalled writer holds back the serial reader at its own position, and nobody else: no writer waits, and transactions
that write no events do not count. A standby does not know the writers, so there the answer is an error.

Strategy `naive` reads up to the highest visible position. It loses events, and is kept as the control that must fail.
"""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import BigInteger, func, select

from eventstore.connection.database import Database, Statement
from eventstore.events import Position
from eventstore.visibility.read import HEAD

Visibility = Literal["watermark", "naive"]

WATERMARK: Final = Statement(select(func.safe_position(type_=BigInteger).label("position")))

STRATEGIES: Final[dict[Visibility, Statement]] = {"watermark": WATERMARK, "naive": HEAD}


async def safe_position(database: Database, strategy: Visibility = "watermark") -> Position:
    """The position up to which nothing can still commit. Read events in a later statement."""
    (row,) = await database.fetch(STRATEGIES[strategy])
    return Position(row["position"])
