"""Apply one event with the read models' functions, and say who is to blame when one raises.

What the function itself raises is the event's fault: tried again, and then the stream is blocked. What Postgres
answered is judged by the table (`eventstore.sqlstates`): a lock, a limit or a lost connection blames no event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventstore.errors import StoreError
from eventstore.sqlstates import kind_of, sqlstate_of
from projection.leases.failure import reason_of
from projection.read_model import Apply, Event, EventRefused

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


async def apply_one(functions: Sequence[Apply], connection: asyncpg.Connection, event: Event) -> None:
    """Apply the event in all read models. Raises Refused, or what the table does not blame an event for."""
    try:
        for function in functions:
            await function(connection, event)
    except Exception as error:
        if (why := blame(error)) is None:
            raise
        # Without its cause, by whose SQLSTATE whoever gives the connection back would judge it.
        raise Refused(event, why) from None
    if not connection.is_in_transaction():
        raise TransactionEnded(ENDED)


async def apply_alone(functions: Sequence[Apply], connection: asyncpg.Connection, event: Event) -> None:
    """The same under a savepoint, which finds out when a function has swallowed an error of Postgres."""
    try:
        async with connection.transaction():
            await apply_one(functions, connection, event)
    except asyncpg.InFailedSQLTransactionError:
        raise Refused(event, SWALLOWED) from None


def blame(error: Exception) -> str | None:
    """Why the event can not be applied, or None where it is not to blame."""
    if isinstance(error, EventRefused):
        return str(error)
    if sqlstate_of(error) == ABORTED:
        return SWALLOWED
    known = isinstance(error, StoreError | asyncpg.InterfaceError) or sqlstate_of(error) is not None
    kind = kind_of(error)
    if kind == "poison" or (kind == "defect" and not known):
        return reason_of(error)
    return None
