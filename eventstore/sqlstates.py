"""Classification of Postgres errors by SQLSTATE, and of what the driver raises without one: one table for everybody.

* `again`: it passes by itself, and nothing was written: the same statement may be sent again at once;
* `away`: the server is gone, refuses, or is not in a state to write: wait, on a new connection. Without an answer of
  the server the outcome is unknown;
* `poison`: what was sent can not be stored or applied, now or later: the event's fault, in a statement that has one;
* `defect`: the statement, the schema or a right is wrong, and so is whatever the table does not know: nothing is tried
  again, and no event is blamed.

The most specific code wins over its class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError

from eventstore.errors import NoAnswerInTime, StoreBusy, StoreError, StoreUnavailable
from eventstore.schema import UNSOUND

Kind = Literal["again", "away", "poison", "defect"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error says. `smaller`: a statement with less to do may pass where this one did not."""

    kind: Kind
    why: str
    smaller: bool = False


TIME_LIMITS: Final = frozenset({"57014", "25P04"})
"""The server ended the statement (`statement_timeout`, a cancel), or its transaction (`transaction_timeout`)."""

SQLSTATES: Final[dict[str, Meaning]] = {
    "08": Meaning("away", "the connection broke, or was not made"),
    "0A": Meaning("defect", "this server can not do what the statement asks for"),
    "21": Meaning("poison", "the values make a row twice, or two rows where one belongs"),
    "22": Meaning("poison", "a value that its type can not hold"),
    "2200H": Meaning("away", "a sequence has no more numbers to give"),
    "23": Meaning("poison", "a row that a constraint refuses"),
    "25006": Meaning("away", "read-only: a standby, a switchover, or a DBA at work"),
    "25P02": Meaning("away", "the session is in a failed transaction that is not ours: a pooler's"),
    "25P03": Meaning("away", "a pause within a transaction was too long, and the server ended the session"),
    "25P04": Meaning("again", "transaction_timeout: the transaction took too long", smaller=True),
    "26": Meaning("away", "the session has lost its prepared statements: DISCARD ALL, or a pooler"),
    "28": Meaning("away", "the server refuses this user for now"),
    "3D": Meaning("away", "there is no such database for now: dropped, renamed or being restored"),
    "40": Meaning("again", "a deadlock, or a conflict of serializable transactions"),
    "40003": Meaning("away", "whether the statement was completed is unknown"),
    "42": Meaning("defect", "a table, column, function or right is missing, or the SQL is wrong"),
    "42P05": Meaning("away", "the session has somebody else's prepared statements: a pooler"),
    "44": Meaning("poison", "a row that a view refuses"),
    "53": Meaning("away", "out of connections, disk or other resources"),
    "53200": Meaning("away", "out of memory", smaller=True),
    "53400": Meaning("away", "more than a limit of the server's allows, as temp_file_limit", smaller=True),
    "54": Meaning("poison", "a value that is too large or nested too deeply for the server"),
    "55": Meaning("away", "an object, or the whole database, is not in a state for it now: an operator is at work"),
    "55006": Meaning("again", "an object is in use by somebody else"),
    "55P02": Meaning("defect", "a setting that can not be changed in a session"),
    "55P03": Meaning("again", "a lock that somebody else holds (lock_timeout)"),
    "55P04": Meaning("again", "a value of an enum that another transaction is adding"),
    "57": Meaning("away", "the server is ended, starts, recovers, or an operator ended the session"),
    "57014": Meaning("again", "statement_timeout, or an operator's cancel", smaller=True),
    "58": Meaning("away", "the server's machine: an I/O error, a file"),
    "72": Meaning("again", "the snapshot became too old"),
    "F0": Meaning("away", "the server's own settings are broken, or another server has its files"),
    "P0": Meaning("poison", "a trigger or function refuses a row, ours with `refuse` among them"),
    UNSOUND: Meaning("away", "what the global order rests on does not hold, say the schema's own functions"),
    # Rows of catalogues that somebody changes meanwhile; and memory for a value of more than 1 GB.
    "XX000": Meaning("again", "an internal error, as `tuple concurrently updated`", smaller=True),
    "XX001": Meaning("defect", "data on the disk is corrupted"),
    "XX002": Meaning("defect", "an index is corrupted"),
}
"""By class (two characters) or code (five), from appendix A of Postgres' manual. Classes that are left out (a cursor's
state, savepoints, foreign data …) come from statements that we do not send, so they are defects."""

UNKNOWN: Final = Meaning("defect", "not an error of the store, or not a known one")
NO_ANSWER: Final = Meaning("away", "no connection, or no answer in time")
UNENCODABLE: Final = Meaning("poison", "a value that the driver can not encode: nothing was sent")
STALE_PLAN: Final = Meaning("again", "the schema was changed under a prepared statement, which is prepared anew")

_NO_ANSWER: Final = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    AsyncAdapt_asyncpg_dbapi.Error,
    DBAPIError,
    OSError,
    EOFError,
    TimeoutError,
)
"""What is raised when there was no answer to read a code from. asyncpg connects and runs what the store sends; by
SQLAlchemy, whose errors wrap the driver's, go the migrations alone."""


def sqlstate_of(error: BaseException | None) -> str | None:
    """The five characters that the server answered with, also where SQLAlchemy or the store has wrapped its error."""
    while error is not None:
        # The driver's own word for a lost connection has a code, too; the server's last word is behind it.
        lost = isinstance(error, asyncpg.ConnectionDoesNotExistError)
        code = (sqlstate_of(error.__cause__) if lost else None) or getattr(error, "sqlstate", None)
        if code is not None:
            return str(code)
        error = getattr(error, "orig", None) or error.__cause__
    return None


def meaning_of(error: BaseException) -> Meaning:
    """The table's row for a driver's error."""
    if isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.exceptions.OutdatedSchemaCacheError):
        return STALE_PLAN
    code = sqlstate_of(error)
    if code is not None:
        return SQLSTATES.get(code) or SQLSTATES.get(code[:2]) or UNKNOWN
    if _unencodable(error):
        return UNENCODABLE
    return NO_ANSWER if isinstance(error, _NO_ANSWER) else UNKNOWN


def kind_of(error: BaseException) -> Kind:
    """What is to be done about an error, be it the driver's, SQLAlchemy's or the store's own."""
    if isinstance(error, StoreBusy):
        return "again"
    if isinstance(error, StoreUnavailable):
        return "away"
    if isinstance(error, StoreError):
        return "poison"
    return meaning_of(error).kind


def passes(error: BaseException) -> bool:
    """True for what is over some time, without anybody's change to events, schema or program."""
    return kind_of(error) in ("again", "away")


def smaller_may_pass(error: BaseException) -> bool:
    """True for a limit that a statement with less to do may keep."""
    return isinstance(error, NoAnswerInTime) or meaning_of(error).smaller


def _unencodable(error: BaseException) -> bool:
    if isinstance(error, asyncpg.ClientConfigurationError):
        return False
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
