"""Apply one event with the read models' functions, and say who is to blame when one raises.

What the function itself raises is the event's fault: tried again, and then the stream is blocked. What Postgres
answered is judged by the table (`eventstore.sqlstates`): a lock, a limit or a lost connection blames no event. An error
without an answer, as a file or another service may raise it, is the function's own while the connection is open. A
pause that cost the session is counted by the next batch (`stalls`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventstore.sqlstates import kind_of, sqlstate_of
from projection.leases.failure import reason_of
from projection.read_model import Apply, Event, EventRefused
from projection.statement.each.stalls import Stalls

ABORTED: Final = "25P02"
SWALLOWED: Final = (
    "a statement of its function failed, and the function went on: use `async with connection.transaction()`"
)
ENDED: Final = "a read model's function ended the transaction of its batch"


@dataclass
class Refused(Exception):
    """The event that can not be applied, and why."""

    event: Event
    reason: str


class TransactionEnded(RuntimeError):
    """A function committed or rolled back what is not its own: a defect, that no retry can mend."""


async def apply_one(functions: Sequence[Apply], connection: asyncpg.Connection, event: Event, stalls: Stalls) -> None:
    """Apply the event in all read models. Raises Refused, or what the table does not blame an event for."""
    if stalls.known(event):
        raise Refused(event, stalls.reason)
    began = asyncio.get_running_loop().time()
    try:
        for function in functions:
            await function(connection, event)
    except Exception as error:
        await stalls.look(connection, event, began)
        if (why := blame(error, lost=connection.is_closed())) is None:
            raise
        # Without its cause, by whose SQLSTATE whoever gives the connection back would judge it.
        raise Refused(event, why) from None
    await stalls.look(connection, event, began)
    if not connection.is_in_transaction():
        raise TransactionEnded(ENDED)


async def apply_alone(functions: Sequence[Apply], connection: asyncpg.Connection, event: Event, stalls: Stalls) -> None:
    """The same under a savepoint, which finds out when a function has swallowed an error of Postgres."""
    try:
        async with connection.transaction():
            await apply_one(functions, connection, event, stalls)
    except asyncpg.InFailedSQLTransactionError:
        raise Refused(event, SWALLOWED) from None


def blame(error: Exception, *, lost: bool) -> str | None:
    """Why the event can not be applied, or None where it is not to blame. `lost`: the connection is closed."""
    if isinstance(error, EventRefused):
        return str(error)
    code = sqlstate_of(error)
    if code == ABORTED:
        return SWALLOWED
    passing = {"again", "away"} if lost else {"again"}
    kind = kind_of(error)
    theirs = kind == "poison" if code else kind not in passing
    return reason_of(error) if theirs else None
