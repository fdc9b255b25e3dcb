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
    """Used by one thread without a loop of its own. Raises `ERRORS` where the server does not answer."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        try:
            self._connection: asyncpg.Connection = run_by(self._runner, connect(url, application_name="bench-beside"))
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
        return run_by(self._runner, self._connection.fetchval(statement, *arguments, timeout=TIMEOUT_S))

    def close(self) -> None:
        """Break it off, whatever it was doing."""
        with suppress(*ERRORS):
            self._connection.terminate()
        close(self._runner)
