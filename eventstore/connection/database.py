"""Access to Postgres: pooled asyncpg connections run statements that SQLAlchemy Core has compiled.

Executing through SQLAlchemy costs two to five times what asyncpg costs (ADR 0003). Errors leave as the store's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Self

import asyncpg
import msgspec

from eventstore.connection.address import PostgresUrl, parse_url
from eventstore.connection.bounds import BOUNDS, Bounds
from eventstore.connection.connector import Connector
from eventstore.connection.planner import PLANNER
from eventstore.connection.pool import Pool, Usage
from eventstore.connection.statement import Statement
from eventstore.errors import (
    InvalidEvent,
    NoAnswerInTime,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    StoreUnsound,
    TimeLimit,
)
from eventstore.schema import UNSOUND
from eventstore.sqlstates import TIME_LIMITS, meaning_of, sqlstate_of

__all__ = ["Database", "Statement", "parse_url", "translate"]


def translate(error: BaseException) -> StoreError | None:
    """The store's error for a driver's error, or None where it is a defect, or a refusal that names its constraint."""
    if isinstance(error, StoreError):
        return error
    code = sqlstate_of(error)
    match meaning_of(error).kind:
        case "again":
            return (TimeLimit if code in TIME_LIMITS else StoreBusy)(f"Postgres is busy: {_words(error)}")
        case "away":
            return _away(error, code)
        case "poison" if code is None or code[:2] in ("22", "54"):
            return InvalidEvent(f"Postgres can not take a value: {_words(error)}")
        case _:
            return None


def _away(error: BaseException, code: str | None) -> StoreUnavailable:
    if code is None:
        late = isinstance(error, TimeoutError)
        return (NoAnswerInTime if late else StoreUnavailable)(f"Postgres gave no answer: {_words(error)}")
    return StoreUnsound(str(error)) if code in _ORDER else StoreUnavailable(f"Postgres refuses: {_words(error)}")


def _words(error: BaseException) -> str:
    code = sqlstate_of(error)
    return f"{str(error) or type(error).__name__}{f' (SQLSTATE {code})' if code else ''}"


_ORDER: Final = (UNSOUND, "2200H")
"""What the schema's own functions find, and a sequence at its end."""

_NOT_THE_SESSION: Final = ("53", "55", *_ORDER)
"""What the server lacks, what somebody else does there, or what does not hold: another connection would be told the
same."""


def _well(error: BaseException | None) -> bool:
    """True when a connection may be used again after the error that left its block.

    Without an answer of the server its state is unknown: the answer may be under way still, or never come. The same
    holds for whatever interrupts a statement. A session that the server ends, has lost its statements, or can no longer
    write in is replaced, too.
    """
    if error is None or not isinstance(error, Exception):
        return error is None
    code = sqlstate_of(error)
    return meaning_of(error).kind != "away" or (code is not None and code.startswith(_NOT_THE_SESSION))


Greet = Callable[[asyncpg.Connection], Awaitable[None]]
"""What is done first on each new connection. An error of it is one of connecting."""


class Database:
    """A bounded set of connections, shared by the tasks of one event loop.

    At most `pool_size` statements run at once; further ones queue. `bounds` limits the time in that queue, connecting,
    and each statement; `planner` are the planner's settings.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        application_name: str = "tidemark",
        bounds: Bounds = BOUNDS,
        planner: Mapping[str, str] = PLANNER,
        greet: Greet | None = None,
    ) -> None:
        self.url: Final = parse_url(url)
        # An address may bring its own.
        self.bounds: Final = replace(bounds, connect=self.url.connect_timeout or bounds.connect)
        self._greet: Final = greet
        self.connector: Final = Connector(self.bounds, name=application_name, planner=planner)
        self._pool: Final = Pool(self._connect_pooled, size=pool_size, bounds=self.bounds)

    async def start(self) -> Self:
        """Open one connection. Raises StoreUnavailable when Postgres can not be reached."""
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")
        return self

    async def close(self) -> None:
        """Close all connections. Statements under way, and queued callers, get StoreUnavailable."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self, url: PostgresUrl | None = None, *, purpose: str = "") -> asyncpg.Connection:
        """A connection of its own, outside the pool, for the caller to close. Raises the driver's errors.

        `url` is another way to the same database; `purpose` is added to the application's name.
        """
        connection = await self.connector.open(url or self.url, purpose=purpose)
        try:
            if self._greet:
                await self._greet(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect_pooled(self) -> asyncpg.Connection:
        connection = await self.connect()
        try:
            for name in ("json", "jsonb"):
                await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=msgspec.json.decode)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def fetch(self, statement: Statement, **values: Any) -> list[asyncpg.Record]:
        """Run one statement in its own transaction and return its rows.

        Raises the errors of `eventstore.errors`; after StoreUnavailable the outcome is unknown.
        """
        arguments = statement.arguments(values)
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement.sql, *arguments)
            return rows

    @property
    def usage(self) -> Usage:
        """How many connections are open, in use and waited for, and how often a time limit was met."""
        return self._pool.usage

    def connection(self) -> Connection:
        """Hold one connection. Driver errors leave the block as the store's errors."""
        return Connection(self._pool)


def _unconnected(error: Exception) -> StoreError | None:
    """Whatever the server answers to somebody who connects, it refuses the connection."""
    if isinstance(error, TimeoutError):
        return StoreUnavailable("Postgres gave no connection in time")
    if sqlstate_of(error) is None:
        return translate(error)
    return StoreUnavailable(f"Postgres refuses the connection: {_words(error)}")


class Connection:
    """A connection of the pool, for one `async with`. As a class: a generator takes twice as long."""

    _trusted = True

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def distrust(self) -> None:
        """Give it up at the end of the block, and all that has been idle since before: their settings may be old."""
        self._trusted = False

    async def __aenter__(self) -> asyncpg.Connection:
        try:
            self._held = await self._pool.take()
        except Exception as error:
            self._count(error)
            if (translated := _unconnected(error)) is None or translated is error:
                raise
            raise translated from error
        return self._held.connection

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._trusted and _well(error):
            self._pool.give_back(self._held)
        else:
            self._pool.abandon(self._held)
        if error is not None and not isinstance(error, StoreError) and (translated := translate(error)):
            self._count(error)
            raise translated from error

    def _count(self, error: BaseException) -> None:
        if isinstance(error, TimeoutError) or sqlstate_of(error) in TIME_LIMITS:
            self._pool.time_limits += 1
