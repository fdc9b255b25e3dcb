"""Bulkhead: who waits for a shard that gives no answer takes no room from who asks the others.

Admission control bounds the requests under way of all shards together. Those that wait in vain for one would fill that
room, and everything would be refused. So a shard that has answered nothing for as long as the bound on latency, while
somebody waited, is silent: what waits for it is put aside, and as many may wait as are never too many. What comes
beyond is refused at once, until it answers again. Appends and reads are told apart: a lock may keep the one alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

import structlog

from eventstore.contract import StreamStore
from eventstore.errors import StoreBusy, StoreUnavailable
from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, StoredEvent
from services.api.reading.lookups import Find, Page
from services.api.serving.admission import Admission
from services.api.shards.shard import Shard
from todo.read_models.todos import Todo

T = TypeVar("T")

log = structlog.get_logger()


class Way(Protocol):
    """What callers ask of one shard."""

    @property
    def store(self) -> StreamStore: ...

    @property
    def find(self) -> Find: ...

    @property
    def page(self) -> Page: ...


def ways(shards: Sequence[Shard], admission: Admission) -> Sequence[Way]:
    """Each shard behind bulkheads of its own; where there is one, that shard itself."""
    return shards if len(shards) == 1 else [Behind(shard, shard.name, admission) for shard in shards]


class Bulkhead:
    """Counts what waits for one shard. To be used in the event loop."""

    def __init__(self, admission: Admission, name: str) -> None:
        self._admission: Final = admission
        self._name: Final = name
        self._waiting = 0
        self._answered = False
        self._look_at: asyncio.TimerHandle | None = None
        self.silent = False

    async def through(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call gives. Raises StoreBusy where too many wait already, else what the call raises."""
        if self.silent and self._waiting >= self._admission.never_too_many:
            raise StoreBusy(f"{self._name} gives no answer, and as many wait for it as may")
        self._enter()
        answered = True
        try:
            return await call()
        except (StoreUnavailable, asyncio.CancelledError):
            answered = False
            raise
        finally:
            self._leave(answered=answered)

    def _enter(self) -> None:
        self._waiting += 1
        if self.silent:
            self._admission.put_aside(1)
        elif self._look_at is None:
            self._await_answer()

    def _leave(self, *, answered: bool) -> None:
        self._waiting -= 1
        if self.silent:
            self._admission.put_aside(-1)
        if not answered:
            return
        self._answered = True
        if self.silent:
            self.silent = False
            self._admission.put_aside(-self._waiting)
            log.info("a shard answers again", waits_for=self._name)

    def _await_answer(self) -> None:
        self._answered = False
        self._look_at = asyncio.get_running_loop().call_later(self._admission.latency_max_s, self._look)

    def _look(self) -> None:
        self._look_at = None
        if self._waiting and self._answered:
            self._await_answer()
        elif self._waiting and not self.silent:
            self.silent = True
            self._admission.put_aside(self._waiting)
            log.warning("a shard gives no answer: requests that wait for it are put aside", waits_for=self._name)


class Behind:
    """One shard behind two bulkheads."""

    def __init__(self, way: Way, name: str, admission: Admission) -> None:
        self._way: Final = way
        self._appends: Final = Bulkhead(admission, f"{name}, appends")
        self._reads: Final = Bulkhead(admission, f"{name}, reads")

    @property
    def store(self) -> StreamStore:
        """Itself."""
        return self

    async def append(
        self,
        stream: str,
        events: Sequence[NewEvent],
        *,
        expected: ExpectedVersion,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """As the store."""
        return await self._appends.through(partial(self._way.store.append, stream, events, expected=expected, key=key))

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
        """As the store."""
        return await self._reads.through(partial(self._way.store.read_stream, stream, after=after, limit=limit))

    async def find(self, id: str) -> Todo | None:
        """As the shard's lookup."""
        return await self._reads.through(partial(self._way.find, id))

    async def page(self, *, after: str | None, limit: int) -> list[Todo]:
        """As the shard's page."""
        return await self._reads.through(partial(self._way.page, after=after, limit=limit))
