"""Connections to Postgres: SQLAlchemy's engine and pool, compiled Core statements, asyncpg on the hot path.

Executing through SQLAlchemy costs two to five times what asyncpg costs (ADR 0003), so statements are written and
compiled by Core, connections are made and kept by its pool, and asyncpg runs the compiled text.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import asyncpg
import msgspec
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi, PGDialect_asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from eventstore.errors import InvalidEvent, StoreError, StoreUnavailable

_DIALECT: Final = PGDialect_asyncpg()

AWAY: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    AsyncAdapt_asyncpg_dbapi.Error,
    DBAPIError,
    OSError,
    TimeoutError,
)
"""What the driver raises when the server is away, refuses, or does not answer in time. SQLAlchemy's adapter wraps what
the driver raises while it connects (a wrong password, a database that is gone) in errors of its own."""


class Statement:
    """A Core statement compiled once for asyncpg. `sql` is the text that Postgres sees."""

    def __init__(self, core: Executable) -> None:
        compiled = core.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
        self.sql: Final[str] = str(compiled)
        self._names: Final[tuple[str, ...]] = tuple(compiled.positiontup or ())
        self._constants: Final[dict[str, Any]] = {k: v for k, v in compiled.params.items() if v is not None}

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """The values in the order of the text's parameters. Raises KeyError for an unknown name."""
        unknown = values.keys() - set(self._names)
        if unknown:
            raise KeyError(f"the statement has no parameter {sorted(unknown)[0]!r}")
        return [values[name] if name in values else self._constants.get(name) for name in self._names]


def parse_url(url: str) -> URL:
    """The URL with the asyncpg driver. Raises ValueError for anything that is not a Postgres URL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("expected postgresql://user:password@host:port/database") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres") or not parsed.database:
        raise ValueError("expected postgresql://user:password@host:port/database")
    return parsed.set(drivername="postgresql+asyncpg")


def translate(error: BaseException) -> StoreError | None:
    """The store's error for a driver's error, or None where the error is a defect and should be seen as one."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, asyncpg.DataError):
        return InvalidEvent(f"Postgres refused a value: {error}")
    if isinstance(error, AWAY):
        return StoreUnavailable(f"Postgres gave no answer: {str(error) or type(error).__name__}")
    return None


class Database:
    """A bounded set of connections, shared by the tasks of one event loop.

    Connections come from SQLAlchemy's pool and stay checked out, so handing one to a task costs a deque's pop.
    At most `pool_size` statements run at once; further ones wait in line, up to `timeout` seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        application_name: str = "tidemark",
        timeout: float = 10.0,
        server_settings: dict[str, str] | None = None,
    ) -> None:
        self.url: Final = parse_url(url)
        self.timeout: Final = timeout
        # Just-in-time compilation costs more than it saves on statements of a few milliseconds.
        settings = {"application_name": application_name, "jit": "off", **(server_settings or {})}
        self.engine: Final[AsyncEngine] = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            json_deserializer=msgspec.json.decode,
            connect_args={"server_settings": settings, "timeout": timeout, "command_timeout": timeout},
        )
        self._size: Final = pool_size
        self._open = 0
        self._idle: deque[_Held] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def start(self) -> Self:
        """Open one connection. Raises StoreUnavailable when Postgres can not be reached."""
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")
        return self

    async def close(self) -> None:
        """Close all connections. Statements under way are ended."""
        while self._idle:
            self._idle.pop().discard()
            self._open -= 1
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def fetch(self, statement: Statement, **values: Any) -> list[asyncpg.Record]:
        """Run one statement in its own transaction and return its rows.

        Raises the errors of `eventstore.errors`; after StoreUnavailable the outcome is unknown.
        """
        arguments = statement.arguments(values)
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement.sql, *arguments)
            return rows

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Hold one connection. Driver errors leave the block as the store's errors."""
        try:
            held = await self._take()
            try:
                yield held.driver
            finally:
                self._give_back(held)
        except asyncpg.PostgresError as error:
            translated = translate(error)
            raise translated if translated else error from error
        except AWAY as error:
            raise translate(error) or error from error

    async def _take(self) -> _Held:
        if not self._idle and self._open >= self._size:
            await self._wait_in_line()
        if self._idle:
            return self._idle.pop()
        self._open += 1
        try:
            return await _Held.checkout(self.engine)
        except BaseException:
            self._open -= 1
            self._wake_next()
            raise

    async def _wait_in_line(self) -> None:
        while not self._idle and self._open >= self._size:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await asyncio.wait_for(turn, self.timeout)
            except BaseException:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                else:
                    self._wake_next()
                raise

    def _give_back(self, held: _Held) -> None:
        if held.usable:
            self._idle.append(held)
        else:
            held.discard()
            self._open -= 1
        self._wake_next()

    def _wake_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class _Held:
    """One connection of SQLAlchemy's pool, and the asyncpg connection inside it."""

    def __init__(self, pooled: PoolProxiedConnection) -> None:
        self.pooled = pooled
        driver = pooled.driver_connection
        assert driver is not None
        self.driver: asyncpg.Connection = driver

    @classmethod
    async def checkout(cls, engine: AsyncEngine) -> _Held:
        return cls(await engine.raw_connection())

    @property
    def usable(self) -> bool:
        return not self.driver.is_closed() and not self.driver.is_in_transaction()

    def discard(self) -> None:
        self.driver.terminate()
        self.pooled.invalidate()
