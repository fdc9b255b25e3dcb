"""Wake the projectors: NOTIFY without payload as a hint, with a poll behind it.

The notification is sent on its own, after the commit that it tells of. Inside the append it would make all
commits of the cluster take turns. A notification lost only adds the delay of one poll.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import text

from eventstore.database import AWAY, Database, Statement
from eventstore.errors import StoreUnavailable

CHANNEL: Final = "tidemark_work"

NOTIFY: Final = Statement(text(f"NOTIFY {CHANNEL}"))

_RECONNECT_S: Final = 1.0


class Notifier:
    """Sends notifications, at most one each `interval` seconds; the first of a burst goes out at once."""

    def __init__(self, database: Database, *, interval: float = 0.005) -> None:
        self._database = database
        self._interval = interval
        self._again = False
        self._task: asyncio.Task[None] | None = None

    def nudge(self) -> bool:
        """Ask for a notification. False when it joins one that is already on its way."""
        if self._task and not self._task.done():
            self._again = True
            return False
        self._task = asyncio.create_task(self._send())
        return True

    async def close(self) -> None:
        """Let the notification that is on its way go out."""
        if self._task:
            await self._task

    async def _send(self) -> None:
        while True:
            self._again = False
            # The projectors poll anyway, so a hint that can not be sent is not worth an error.
            with contextlib.suppress(StoreUnavailable):
                await self._database.fetch(NOTIFY)
            await asyncio.sleep(self._interval)
            if not self._again:
                return


class Listener:
    """Calls `on_wake` at each notification, and after each reconnection, because one may have been missed."""

    def __init__(self, database: Database, on_wake: Callable[[], None]) -> None:
        self._database = database
        self._on_wake = on_wake
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    def start(self) -> None:
        """Listen in the background until `close`."""
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*AWAY):
                await self._hold_connection()
            self.connected.clear()
            await asyncio.sleep(_RECONNECT_S)

    async def _hold_connection(self) -> None:
        connection = await self._database.connect()
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._on_wake())
            self.connected.set()
            self._on_wake()
            await lost.wait()
        finally:
            connection.terminate()
