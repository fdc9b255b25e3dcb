"""Retry policy of an append that Postgres rolled back: whether to send it again, else the error for its caller."""

from __future__ import annotations

import asyncpg

from eventstore.append.general import KEY_CONSTRAINT
from eventstore.errors import InvalidEvent, StoreBusy, StoreError, StoreUnavailable, StoreUnsound, TimeLimit
from eventstore.sqlstates import kind_of, sqlstate_of


def worth_another(
    error: asyncpg.UniqueViolationError | InvalidEvent | StoreUnavailable, attempt: int, *, wake: bool
) -> bool:
    """True when nothing was written, and the very next attempt may well go through, without the notification if any."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return bool(error.constraint_name == KEY_CONSTRAINT)
    if isinstance(error, InvalidEvent):
        # The queue of notifications has the SQLSTATE of a value that is too large.
        return wake and (sqlstate_of(error) or "").startswith("54")
    if isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError):
        # A connection from before the end of a switchover stays read-only; the next one is new.
        return attempt == 0
    return isinstance(error, StoreBusy) and not isinstance(error, TimeLimit) and not locked(error)


def locked(error: Exception) -> bool:
    """True when somebody else held a lock for too long."""
    return isinstance(error.__cause__, asyncpg.LockNotAvailableError)


def named(error: Exception) -> Exception:
    """What the caller of an append is told: a refusal of Postgres as the store's; a defect as it is."""
    if isinstance(error, asyncpg.UniqueViolationError) and error.table_name == "events":
        return caused(StoreUnsound(f"a position or version was given out twice: {error}"), error)
    if isinstance(error, asyncpg.PostgresError) and kind_of(error) == "poison":
        return caused(InvalidEvent(f"Postgres refuses the event: {error}"), error)
    return error


def caused(told: StoreError, error: Exception) -> StoreError:
    """The error to tell, with the one that it comes from."""
    told.__cause__ = error
    return told
