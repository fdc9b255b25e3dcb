"""Idle sessions of somebody else, as many as the server gives: then it has no connection left (SQLSTATE 53300)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Self

import asyncpg

from bench.oracle.connection import ERRORS
from bench.oracle.database import close, connect, run_by
from bench.trial.foreign.session import NAME

AT_ONCE: Final = 8
"""Sessions that are opened at once."""


class IdleSessions:
    """One loop for all of them; they are closed together at the end of the block."""

    def __init__(self, url: str) -> None:
        self._url: Final = url
        self._runner: Final = asyncio.Runner()
        self._sessions: Final[list[asyncpg.Connection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sessions:
            with suppress(*ERRORS):
                one.terminate()
        close(self._runner)

    def __len__(self) -> int:
        return len(self._sessions)

    def fill(self, most: int) -> bool:
        """Open sessions until the server refuses one; False where there are `most`, and it still gives.

        Raises the driver's errors.
        """
        while len(self) < most:
            if not run_by(self._runner, self._some(min(AT_ONCE, most - len(self)))):
                return True
        return False

    async def _some(self, number: int) -> bool:
        """False where one of them was refused."""
        opening = (connect(self._url, application_name=NAME) for _ in range(number))
        opened = await asyncio.gather(*opening, return_exceptions=True)
        self._sessions.extend(one for one in opened if not isinstance(one, BaseException))
        errors = [one for one in opened if isinstance(one, BaseException)]
        for error in errors:
            if not isinstance(error, asyncpg.TooManyConnectionsError):
                raise error
        return not errors


def refused(url: str) -> bool:
    """True where the server has no connection for this login (SQLSTATE 53300). Raises the driver's other errors."""

    async def ask() -> None:
        await (await connect(url, application_name=NAME)).close()

    with asyncio.Runner() as runner:
        try:
            run_by(runner, ask())
        except asyncpg.TooManyConnectionsError:
            return True
    return False
