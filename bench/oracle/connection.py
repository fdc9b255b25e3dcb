"""A connection that stays open, so that a reading of the database costs one round trip; its clock above all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Self

import asyncpg

from bench.oracle.database import TIMEOUT_S, close, connect, run_by

NOW: Final = "SELECT clock_timestamp()"
ERRORS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
"""What opening one and reading by it raise."""


class OpenConnection:
    """Used by one thread without a loop of its own. Raises `ERRORS` where the server gives no answer in `within_s`.

    `name` is its application's, `settings` are the session's.
    """

    def __init__(self, url: str, *, name: str = "bench-beside", within_s: float = TIMEOUT_S, **settings: str) -> None:
        self._within_s: Final = within_s
        self._runner = asyncio.Runner()
        try:
            opening = asyncio.wait_for(connect(url, application_name=name, **settings), within_s)
            self._connection: asyncpg.Connection = run_by(self._runner, opening)
        except BaseException:
            close(self._runner)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> datetime:
        """Now, by the server."""
        moment: datetime = self.value(NOW)
        return moment

    def value(self, statement: str, *arguments: Any) -> Any:
        """The first value of the first row."""
        return run_by(self._runner, self._connection.fetchval(statement, *arguments, timeout=self._within_s))

    def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows."""
        asked = self._connection.fetch(statement, *arguments, timeout=self._within_s)
        found: list[asyncpg.Record] = run_by(self._runner, asked)
        return found

    def execute(self, statements: str) -> None:
        """One statement or several, without parameters; BEGIN among them leaves the transaction open."""
        run_by(self._runner, self._connection.execute(statements, timeout=self._within_s))

    @property
    def pid(self) -> int:
        """Its process at the server."""
        return int(self._connection.get_server_pid())

    def close(self) -> None:
        """Break it off, whatever it was doing."""
        with suppress(*ERRORS):
            self._connection.terminate()
        close(self._runner)
