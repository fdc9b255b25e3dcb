"""LISTEN/NOTIFY wake-up of the projectors: a rate-limited hint without payload; polling stays the guarantee.

A notification inside every append would make all commits of the cluster take turns. So one goes out each few
milliseconds at most: carried by the commit of an append, which then is heard of at once and costs no round trip of its
own, or else on its own, after the commits that it tells of. A notification lost only adds the delay of one poll. Who
listens makes sure that it hears (ADR 0019): a connection may be silent without being closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.address import PostgresUrl
from eventstore.connection.database import Database, Statement
from eventstore.connection.rate_limit import RateLimit
from eventstore.errors import StoreError, StoreUnavailable
from eventstore.sqlstates import passes, sqlstate_of

CHANNEL: Final = "tidemark_work"

NOTIFY: Final = Statement(text(f"NOTIFY {CHANNEL}"))

CARRY: Final = f"CASE WHEN :wake ::bool THEN pg_notify('{CHANNEL}', '') END"
"""A column that makes a statement carry a notification in its own commit."""

HEARTBEAT_S: Final = 5.0

_RECONNECT_S: Final = 1.0


class Notifier:
    """Has notifications sent, one each `interval` seconds in the long run; the first `burst` go out at once.

    A writer asks with `carry` before a statement, and tells with `carried` when it was committed. A nudge waits `slack`
    seconds more for a statement that carries its notification, but `interval + slack` at the most.
    """

    def __init__(self, database: Database, *, interval: float = 0.005, burst: int = 1, slack: float = 0.0) -> None:
        self._database = database
        self._rate_limit = RateLimit(interval, burst)
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
        if self._rate_limit.wait(now):
            return None
        self._rate_limit.began(now)
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
            if (rest := self._rate_limit.wait(now)) and left > 0:
                await asyncio.sleep(min(rest + self._slack, left))
                continue
            self._rate_limit.began(now)
            self._asked = None
            # The projectors poll anyway, so a hint that can not be sent is not worth an error.
            with contextlib.suppress(StoreError):
                await self._database.fetch(NOTIFY)


class Listener:
    """Calls `on_wake` at each notification, and whenever it begins to hear, because one may have been missed.

    It is `connected` while it hears: every `heartbeat` seconds it sends a notification to itself, on a channel of its
    own, which has to come back before the next is due. So a connection that has fallen silent, or a pooler that passes
    none on, is found out. Then `deaf` says why, and it connects anew; `on_change` is told once. `url` is where it
    listens, if not where `database` is.
    """

    def __init__(
        self,
        database: Database,
        on_wake: Callable[[], None],
        *,
        url: PostgresUrl | None = None,
        heartbeat: float = HEARTBEAT_S,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        self._database: Final = database
        self._on_wake: Final = on_wake
        self._url: Final = url
        self._heartbeat: Final = heartbeat
        self._on_change: Final = on_change
        self._task: asyncio.Task[None] | None = None
        self.connected: Final = asyncio.Event()
        self.deaf = ""

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
            why = "the connection was lost"
            try:
                await self._hold_connection()
            except Exception as error:
                # Whatever the server has against it, the poll does the work meanwhile.
                if not passes(error) and sqlstate_of(error) is None:
                    raise
                why = str(error) or f"Postgres gave no answer: {type(error).__name__}"
            finally:
                self.connected.clear()
            self._tell(why)
            await asyncio.sleep(_RECONNECT_S)

    async def _hold_connection(self) -> None:
        """Listen until the connection is lost, or raises, or a notification to itself is."""
        connection = await self._database.connect(self._url, purpose="listener")
        try:
            pulse = _Pulse(connection)
            await connection.add_listener(pulse.channel, pulse.heard)
            await connection.add_listener(CHANNEL, lambda *_: self._on_wake())
            while await pulse.beat(self._heartbeat):
                if not self.connected.is_set():
                    self.connected.set()
                    self._tell("")
                    self._on_wake()
                if await pulse.lost_within(self._heartbeat):
                    return
        finally:
            connection.terminate()

    def _tell(self, deaf: str) -> None:
        news = bool(deaf) != bool(self.deaf)
        self.deaf = deaf
        if news and self._on_change:
            self._on_change(deaf)


class _Pulse:
    """Notifications that a connection sends to itself."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.channel: Final = f"{CHANNEL}_{secrets.token_hex(8)}"
        self._connection: Final = connection
        self._lost: Final = asyncio.Event()
        self._news: Final = asyncio.Event()
        connection.add_termination_listener(self._ended)

    def heard(self, *_: object) -> None:
        """A notification has come back."""
        self._news.set()

    def _ended(self, _: object) -> None:
        self._lost.set()
        self._news.set()

    async def beat(self, seconds: float) -> bool:
        """Send one, and wait for it; False when the connection is lost. Raises StoreUnavailable after that time."""
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._connection.execute(f"NOTIFY {self.channel}")
                await self._news.wait()
        except TimeoutError as error:
            raise StoreUnavailable(f"its own notification did not come back within {seconds:g} s") from error
        return not self._lost.is_set()

    async def lost_within(self, seconds: float) -> bool:
        """Wait that long, or until the connection is lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        return self._lost.is_set()
