"""Wake the projectors: NOTIFY without payload as a hint, with a poll behind it.

A notification inside every append would make all commits of the cluster take turns. So one goes out each few
milliseconds at most: carried by the commit of an append, which then is heard of at once and costs no round trip of its
own, or else on its own, after the commits that it tells of. A notification lost only adds the delay of one poll.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import text

from eventstore.database import Database, Statement
from eventstore.errors import StoreUnavailable
from eventstore.pace import Pace
from eventstore.sqlstates import passes

CHANNEL: Final = "tidemark_work"

NOTIFY: Final = Statement(text(f"NOTIFY {CHANNEL}"))

CARRY: Final = f"CASE WHEN :wake ::bool THEN pg_notify('{CHANNEL}', '') END"
"""A column that makes a statement carry a notification in its own commit."""

_RECONNECT_S: Final = 1.0


class Notifier:
    """Has notifications sent, one each `interval` seconds in the long run; the first `burst` go out at once.

    A writer asks with `carry` before a statement, and tells with `carried` when it was committed. A nudge waits `slack`
    seconds more for a statement that carries its notification, but `interval + slack` at the most.
    """

    def __init__(self, database: Database, *, interval: float = 0.005, burst: int = 1, slack: float = 0.0) -> None:
        self._database = database
        self._pace = Pace(interval, burst)
        self._longest = interval + slack
        self._slack = slack
        self._since = 0.0
        self._asked: float | None = None
        self._task: asyncio.Task[None] | None = None

    def nudge(self) -> bool:
        """Ask for a notification. False when it joins one that is already on its way."""
        now = asyncio.get_running_loop().time()
        if self._asked is None:
            self._since = now
        self._asked = now
        if self._task and not self._task.done():
            return False
        self._task = asyncio.create_task(self._send())
        return True

    def carry(self) -> float | None:
        """Now, when the statement that begins now is to carry a notification. One that fails loses no nudge."""
        now = asyncio.get_running_loop().time()
        if self._pace.wait(now):
            return None
        self._pace.began(now)
        return now

    def carried(self, begun: float) -> None:
        """The statement that `carry` gave this moment has written: it answers all nudges before it."""
        self._since = max(self._since, begun)
        if self._asked is not None and self._asked <= begun:
            self._asked = None

    async def close(self) -> None:
        """Let the notification that is on its way go out."""
        if self._task:
            await self._task

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while self._asked is not None:
            now = loop.time()
            left = self._since + self._longest - now
            if (rest := self._pace.wait(now)) and left > 0:
                await asyncio.sleep(min(rest + self._slack, left))
                continue
            self._pace.began(now)
            self._asked = None
            # The projectors poll anyway, so a hint that can not be sent is not worth an error.
            with contextlib.suppress(StoreUnavailable):
                await self._database.fetch(NOTIFY)


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
            try:
                await self._hold_connection()
            except Exception as error:
                if not passes(error):
                    raise
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
