"""Resumable steps: a command as a row of short transactions, bounded by progress and not by a request's time-out.

Each transaction is right in itself and may be run again. One that meets a lock, a deadlock, a time limit or a store
that is away is undone by Postgres and tried again, with half as many streams. It fails for good when `patience_s`
seconds have gone by without any progress.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Set
from typing import Final, TypeVar

import asyncpg

from eventstore.connection.database import Database
from eventstore.errors import StoreUnavailable
from projection.read_model import ReadModels

T = TypeVar("T")

FIRST: Final = 500
MOST: Final = 20_000
QUICK_S: Final = 0.4
SLOW_S: Final = 1.0
"""Appends to a step's streams wait for it, so a step that takes longer than this is followed by a smaller one."""

LOCK_MS: Final = 2000
# Whoever waits for a lock holds others meanwhile. A shorter limit that was set for this role stays.
BOUND_LOCKS: Final = f"""
SELECT set_config('lock_timeout', '{LOCK_MS}', true) FROM pg_settings
 WHERE name = 'lock_timeout' AND (setting = '0' OR setting::int > {LOCK_MS})
"""

_LONGEST_PAUSE_S: Final = 2.0

Say = Callable[[str], None]


def silent(_line: str) -> None:
    """Nobody listens."""


class Steps:
    """Runs transactions one after another.

    `size` is how many streams, or pages of a table, the next one may take: it grows to `most` while they are quick.
    `models` are the read models whose effects are undone or passed over, `unseen` the names of those that took part in
    nothing that the audit has. `relisting` says that no projector works before the command has come to its end. `say`
    is told, at most once a second, how far the command is; `place` is the stream from which it could go on.
    """

    def __init__(
        self,
        database: Database,
        models: ReadModels = (),
        *,
        patience_s: float = 60.0,
        say: Say = silent,
        most: int = MOST,
    ) -> None:
        self._database: Final = database
        self.models = models
        self.unseen: Set[str] = frozenset()
        self.relisting = False
        self.patience_s: Final = patience_s
        self._say: Final = say
        self._most: Final = most
        self._said_at = time.monotonic()
        self.size = min(FIRST, most)
        self.place = ""

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]], *, isolation: str = "read_committed") -> T:
        """One transaction, until it has been committed. `work` reads `size` anew each time.

        Raises what stood in the way (StoreBusy, TimeLimit, StoreUnavailable), after `patience_s` seconds.
        """
        began = time.monotonic()
        pause = 0.05
        while True:
            started = time.monotonic()
            try:
                done = await self._once(work, isolation)
            except StoreUnavailable as error:
                if time.monotonic() - began > self.patience_s:
                    raise
                self.size = max(1, self.size // 2)
                self.progress(f"waiting: {error}")
                pause = min(_LONGEST_PAUSE_S, pause * 2)
                await asyncio.sleep(pause)
            else:
                self._fit(time.monotonic() - started)
                return done

    async def _once(self, work: Callable[[asyncpg.Connection], Awaitable[T]], isolation: str) -> T:
        async with self._database.connection() as connection, connection.transaction(isolation=isolation):
            await connection.execute(BOUND_LOCKS)
            return await work(connection)

    def _fit(self, seconds: float) -> None:
        if seconds < QUICK_S:
            self.size = min(self._most, self.size * 2)
        elif seconds > SLOW_S:
            self.size = max(1, self.size // 2)

    def progress(self, line: str) -> None:
        """Say how far it is, unless something was said just now."""
        now = time.monotonic()
        if now - self._said_at >= 1.0:
            self._said_at = now
            self._say(line)
