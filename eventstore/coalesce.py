"""Coalesce concurrent appends into one statement and one commit (group commit in the client).

While a statement is under way, further appends gather; the next statement takes them all. An idle store gives an
append no delay. Each append keeps its own outcome: a conflict, or data that Postgres refuses, concerns only itself.
Two appends to the same stream or with the same key never share a statement: the later one waits for the next.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventstore.append import KEY_CONSTRAINT, Append, append_all
from eventstore.database import Database
from eventstore.errors import InvalidEvent, StoreError, StoreUnavailable
from eventstore.events import Appended
from eventstore.schema import SLOTS

MOST_TOGETHER: Final = 256
"""Appends in one statement at most; more gave no further speed and a longer wait."""

MOST_WAITING: Final = 10_000
"""Appends that may wait in line; a further one is refused at once."""

_ATTEMPTS: Final = 5


@dataclass(eq=False, slots=True)
class _Waiting:
    append: Append
    answer: asyncio.Future[Appended]


class Coalescer:
    """Takes appends from any number of tasks; `lanes` statements are under way at most."""

    def __init__(self, database: Database, *, lanes: int = 2, on_commit: Callable[[], None] | None = None) -> None:
        self._database = database
        self._lanes = lanes
        self._on_commit = on_commit
        self._line: deque[_Waiting] = deque()
        self._busy: set[asyncio.Task[None]] = set()
        self._streams: set[str] = set()
        self._keys: set[str] = set()
        # A slot of its own for each lane: two statements that meet in one row would wait for each other's commit.
        self._slots = random.SystemRandom().sample(range(SLOTS), lanes)
        self._closed = False

    async def append(self, append: Append) -> Appended:
        """Append, in company. Raises what `append_all` gives for this one, or StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if len(self._line) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} appends are waiting already")
        waiting = _Waiting(append, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        self._start()
        return await waiting.answer

    async def close(self) -> None:
        """Finish all appends in line, then refuse further ones."""
        self._closed = True
        while self._busy:
            await asyncio.wait(self._busy)

    def _start(self) -> None:
        while self._line and self._slots:
            group = self._gather()
            if not group:
                return
            slot = self._slots.pop()
            task = asyncio.create_task(self._run(group, slot))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

    def _gather(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        deferred: list[_Waiting] = []
        while self._line and len(group) < MOST_TOGETHER:
            waiting = self._line.popleft()
            if waiting.answer.done():
                continue
            key = waiting.append.key.key if waiting.append.key else None
            if waiting.append.stream in self._streams or (key is not None and key in self._keys):
                deferred.append(waiting)
                continue
            self._streams.add(waiting.append.stream)
            if key is not None:
                self._keys.add(key)
            group.append(waiting)
        self._line.extendleft(reversed(deferred))
        return group

    async def _run(self, group: list[_Waiting], slot: int) -> None:
        try:
            await self._commit(group, slot)
        finally:
            for waiting in group:
                self._streams.discard(waiting.append.stream)
                if waiting.append.key:
                    self._keys.discard(waiting.append.key.key)
            self._slots.append(slot)
            self._start()

    async def _commit(self, group: list[_Waiting], slot: int) -> None:
        try:
            outcomes = await self._attempt([waiting.append for waiting in group], slot)
        except InvalidEvent as error:
            await self._one_by_one(group, slot, error)
        except BaseException as error:
            failure = error if isinstance(error, StoreError) else StoreUnavailable(f"append failed: {error!r}")
            for waiting in group:
                _answer(waiting, failure)
            if not isinstance(error, StoreError):
                raise
        else:
            if self._on_commit:
                self._on_commit()
            for waiting, outcome in zip(group, outcomes, strict=True):
                _answer(waiting, outcome)

    async def _one_by_one(self, group: list[_Waiting], slot: int, error: InvalidEvent) -> None:
        if len(group) == 1:
            _answer(group[0], error)
            return
        for waiting in group:
            await self._commit([waiting], slot)

    async def _attempt(self, appends: list[Append], slot: int) -> list[Appended | StoreError]:
        """Run the statement; again when a key was first used elsewhere at the same moment, or after a deadlock."""
        for _ in range(_ATTEMPTS):
            async with self._database.connection() as connection:
                try:
                    return await append_all(connection, appends, slot=slot)
                except asyncpg.UniqueViolationError as error:
                    if error.constraint_name != KEY_CONSTRAINT:
                        raise
                except asyncpg.TransactionRollbackError:
                    pass
        raise StoreUnavailable(f"the append was undone {_ATTEMPTS} times by others that ran at the same moment")


def _answer(waiting: _Waiting, outcome: Appended | StoreError) -> None:
    if waiting.answer.done():
        return
    if isinstance(outcome, StoreError):
        waiting.answer.set_exception(outcome)
    else:
        waiting.answer.set_result(outcome)
