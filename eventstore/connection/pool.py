"""Connection pool: at most so many connections, and a bounded FIFO queue of the callers that find none free.

A connection is handed from task to task by a deque, without a turn of the event loop and without a statement that
resets it (ADR 0030). One that no longer works is discarded, and its place filled with a new one. Where one has failed
without a word of the server, those that have not been used since are discarded with it: one caller finds the trouble,
and not one for each connection (ADR 0019).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventstore.connection.bounds import Bounds
from eventstore.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Usage:
    """A pool at this moment: connections open and in use, callers queued; and time limits met since its start."""

    open: int
    used: int
    awaited: int
    time_limits: int


Connect = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a connection. Raises the driver's errors."""


@dataclass(eq=False, slots=True)
class Held:
    """A connection of the pool, and when it was last taken."""

    connection: asyncpg.Connection
    taken_at: float = 0.0

    @property
    def usable(self) -> bool:
        """False when the connection was lost, or left in an open transaction."""
        return not self.connection.is_closed() and not self.connection.is_in_transaction()

    def discard(self) -> None:
        """Cut the connection; a statement under way on it fails."""
        self.connection.terminate()

    async def end(self, seconds: float) -> None:
        """Have the server end the statement under way, and say goodbye; after that time the connection is cut."""
        try:
            # What it raises is of no interest to anybody: the connection is given up.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(seconds):
                    await self.connection.close()
        finally:
            self.connection.terminate()


class Pool:
    """At most `size` connections; callers beyond that queue for up to `bounds.statement` seconds.

    Whoever took one must give it back or abandon it, whatever happens. A caller that is cancelled while queued, or
    while its connection opens, leaves nothing behind.
    """

    def __init__(self, connect: Connect, *, size: int, bounds: Bounds) -> None:
        self._open_connection: Final = connect
        self._size: Final = size
        self._bounds: Final = bounds
        self._ending: Final[set[asyncio.Task[None]]] = set()
        self._open = 0
        self._idle: Final[deque[Held]] = deque()
        self._taken: Final[set[Held]] = set()
        # A turn brings a connection, or None: the right to open one.
        self._queue: Final[deque[asyncio.Future[Held | None]]] = deque()
        self._closed = False
        self.time_limits = 0
        """Statements and waits in the queue that a time limit ended, the server's or ours."""

    @property
    def usage(self) -> Usage:
        """What it does right now."""
        return Usage(self._open, len(self._taken), len(self._queue), self.time_limits)

    async def take(self) -> Held:
        """The next free connection. Raises StoreUnavailable when closed, TimeoutError, or why none can be opened."""
        if self._closed:
            raise StoreUnavailable("the database is closed")
        held = self._take_idle()
        if held is None and self._open >= self._size:
            held = await self._wait_for_turn()
        elif held is None:
            self._open += 1
        if held is None:
            held = await self._connect()
        held.taken_at = time.monotonic()
        self._taken.add(held)
        return held

    def give_back(self, held: Held) -> None:
        """Return what `take` gave; never waits."""
        self._taken.discard(held)
        if held.usable and not self._closed:
            self._pass_on(held)
        else:
            held.discard()
            self._pass_on(None)

    def abandon(self, held: Held) -> None:
        """Give up what `take` gave, in an unknown state, and all that has been idle since before it was taken.

        Never waits: the server is told in the background, within the time that connecting may take.
        """
        self._taken.discard(held)
        for idle in [one for one in self._idle if one.taken_at < held.taken_at]:
            self._idle.remove(idle)
            idle.discard()
            self._open -= 1
        if self._closed:
            held.discard()
        else:
            ending = asyncio.create_task(held.end(self._bounds.connect))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        self._pass_on(None)

    async def close(self) -> None:
        """Cut all connections, those in use too; whoever waits gets StoreUnavailable."""
        self._closed = True
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(StoreUnavailable("the database is closed"))
        for held in self._taken:
            held.discard()
        while self._idle:
            self._idle.pop().discard()
        # They are told to the server still, so that no statement runs on there.
        await asyncio.gather(*self._ending)

    def _take_idle(self) -> Held | None:
        while self._idle:
            held = self._idle.pop()
            if held.usable:
                return held
            held.discard()
            self._open -= 1
        return None

    async def _connect(self) -> Held:
        try:
            # Its first statements count as connecting.
            async with asyncio.timeout(self._bounds.connect):
                held = Held(await self._open_connection())
        except BaseException:
            self._pass_on(None)
            raise
        if self._closed:
            held.discard()
            raise StoreUnavailable("the database is closed")
        return held

    async def _wait_for_turn(self) -> Held | None:
        turn: asyncio.Future[Held | None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._bounds.statement):
                return await turn
        except BaseException:
            # Cancelled just when its turn had come.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on(turn.result())
            raise

    def _pass_on(self, held: Held | None) -> None:
        """Give a connection, or the place of one that is gone, to the first in the queue."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(held)
                return
        if held is None:
            self._open -= 1
        else:
            self._idle.append(held)
