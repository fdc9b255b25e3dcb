"""Group commit in the client: concurrent appends share one statement, one round trip and one commit.

While a statement is under way, further appends queue; the next statement takes them all, so an idle store adds no
delay. Each append keeps its own outcome:

* a conflict or a replay is found inside the statement, beside whatever the others get. A conflict is looked at twice
  where the first look may deceive: lean statements do not name it, and one that an append with a key met may have been
  its own first sending;
* an error that Postgres answers with rolls the batch back: nothing was written. Each append of it is then sent alone,
  and only the one that fails again is told; after a time limit, they are sent in smaller batches;
* an append whose stream another transaction keeps locked is sent alone, too, from the end of the queue, again and again
  for as long as the database's timeout; the others move on meanwhile;
* a lost connection or a timeout leaves the outcome of that statement unknown: every append in it, and no other, gets
  StoreUnavailable.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg

from eventstore.append.general import Append
from eventstore.append.queue import AppendQueue, Queued
from eventstore.append.retry import caused, locked, named, worth_another
from eventstore.append.statements import RUN, Name, choose
from eventstore.connection.batch_size import BatchSize
from eventstore.connection.database import Database
from eventstore.connection.wakeup import Notifier
from eventstore.errors import (
    InvalidEvent,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    StoreUnsound,
    TimeLimit,
    VersionConflict,
)
from eventstore.events import Appended
from eventstore.schema import SLOTS

MAX_BATCH: Final = 256
"""Appends in one statement at most; more gave no further speed and a longer wait."""

MAX_QUEUED: Final = 10_000
"""Appends that may be queued; a further one is refused at once."""

_ATTEMPTS: Final = 5


class GroupCommit:
    """Batches the appends of any number of tasks; `lanes` statements are under way at most.

    `leanest` keeps leaner statements out. While appends come one at a time, a caller runs its statement itself, which
    saves two turns of the event loop.

    A caller that is cancelled before its append is under way has written nothing. Later, a batch goes on without it; a
    statement of its own is cancelled with it, and may have been written or not.
    """

    def __init__(
        self,
        database: Database,
        *,
        lanes: int = 2,
        notifier: Notifier | None = None,
        gate: Callable[[], None] | None = None,
        leanest: Name = "single",
    ) -> None:
        self.statements: Final[Counter[Name]] = Counter()
        """How often each statement was sent."""
        self._leanest: Final = leanest
        self._database: Final = database
        self._notifier: Final = notifier
        self._gate: Final = gate
        self._queue: Final = AppendQueue()
        self._busy: Final[set[asyncio.Task[None]]] = set()
        # A slot of its own for each lane: two statements that meet in one row would wait for each other's commit.
        self._lanes: Final = lanes
        self._slots: Final = random.SystemRandom().sample(range(SLOTS), lanes)
        self._batch_size: Final = BatchSize(MAX_BATCH)
        self._starting = False
        self._calm = True
        self._closed = False
        self._end: asyncio.Future[None] | None = None

    async def append(self, append: Append) -> Appended:
        """Append, batched with others. Raises what `append_all` gives for this one, or StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if len(self._queue) >= MAX_QUEUED:
            raise StoreBusy(f"{MAX_QUEUED} appends are queued already")
        queued = Queued(append, asyncio.get_running_loop().create_future())
        if self._calm and self._slots and not self._queue and self._queue.try_reserve(queued):
            await self._serve([queued], self._slots.pop())
        else:
            self._queue.push(queued)
            self._start()
        return await queued.answer

    async def close(self) -> None:
        """Finish all queued appends, then refuse further ones."""
        self._closed = True
        while self._under_way():
            if self._end is None or self._end.done():
                self._end = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._end)

    def _under_way(self) -> bool:
        return bool(self._queue) or len(self._slots) < self._lanes

    def _start(self) -> None:
        """Have a free lane take a batch, after all that the event loop has at hand: they may be queued, too."""
        if self._slots and self._queue and not self._starting:
            self._starting = True
            lane = asyncio.create_task(self._run(self._slots.pop()))
            self._busy.add(lane)
            lane.add_done_callback(self._busy.discard)

    async def _run(self, slot: int) -> None:
        self._starting = False
        batch = self._queue.next_batch(self._batch_size.now)
        if not batch:
            self._give_back(slot)
            return
        self._start()
        await self._serve(batch, slot)

    async def _serve(self, batch: list[Queued], slot: int) -> None:
        try:
            await self._commit(batch, slot)
        finally:
            self._calm = len(batch) == 1 and not self._queue
            self._queue.release(batch)
            self._give_back(slot)
            self._start()

    def _give_back(self, slot: int) -> None:
        self._slots.append(slot)
        if self._end and not self._end.done() and not self._under_way():
            self._end.set_result(None)

    async def _commit(self, batch: list[Queued], slot: int) -> None:
        carried = self._notifier.carry() if self._notifier else None
        try:
            outcomes = await self._attempt(batch, slot, wake=carried is not None)
        except (asyncpg.PostgresError, InvalidEvent, StoreBusy) as error:
            self._rolled_back(batch, error)
        except StoreUnavailable as error:
            self._wake(None, committed=not isinstance(error, StoreUnsound))
            for queued in batch:
                # One for each: an exception collects the tracebacks of all who raise it.
                queued.tell(type(error)(*error.args))
        except Exception as error:
            for queued in batch:
                queued.tell(error)
        except BaseException:
            self._wake(None, committed=True)
            for queued in batch:
                queued.tell(StoreUnavailable("the append was interrupted"))
                # The one who waits may be the one who is interrupted, and then nobody takes the error.
                if not queued.answer.cancelled():
                    queued.answer.exception()
            raise
        else:
            self._batch_size.fitted(len(batch))
            self._wake(carried, committed=self._settle(batch, outcomes))

    def _rolled_back(self, batch: list[Queued], error: Exception) -> None:
        """Nothing was written: send smaller batches, or later, or tell the one that was alone."""
        if len(batch) > 1 and isinstance(error, TimeLimit):
            self._batch_size.halve(len(batch))
            self._queue.push_front(batch)
        elif len(batch) > 1:
            self._split(batch, error)
        elif locked(error):
            self._set_aside(batch[0], error)
        else:
            batch[0].tell(named(error))

    async def _attempt(self, batch: list[Queued], slot: int, *, wake: bool) -> Sequence[Appended | StoreError | None]:
        """Run the statement; again when a key was first used elsewhere at the same moment, or after a deadlock.

        On a connection that has become read-only, it is run again on a new one; and without its notification where that
        may be what the server has no room for.
        """
        appends = [queued.append for queued in batch]
        name = choose(appends, named=any(queued.doubted for queued in batch), leanest=self._leanest)
        for attempt in range(_ATTEMPTS):
            try:
                async with self._database.connection() as connection:
                    if self._gate:
                        # Here, because a connection that was just made may have changed its mind.
                        self._gate()
                    self.statements[name] += 1
                    return await RUN[name](connection, appends, slot=slot, wake=wake)
            except (asyncpg.UniqueViolationError, InvalidEvent, StoreUnavailable) as error:
                if not worth_another(error, attempt, wake=wake):
                    raise
                wake = wake and not isinstance(error, InvalidEvent)
        raise StoreBusy(f"the append was rolled back {_ATTEMPTS} times by others that ran at the same moment")

    def _settle(self, batch: list[Queued], outcomes: Sequence[Appended | StoreError | None]) -> bool:
        """Tell everybody, but for those who go again. True when an event was committed."""
        again = []
        committed = False
        for queued, outcome in zip(batch, outcomes, strict=True):
            self._queue.locked.discard(queued.append.stream)
            if outcome is None or (isinstance(outcome, VersionConflict) and queued.append.key and not queued.doubted):
                queued.doubted = True
                again.append(queued)
                continue
            queued.tell(outcome)
            committed = committed or (isinstance(outcome, Appended) and not outcome.replayed)
        self._queue.push_front(again)
        return committed

    def _wake(self, carried: float | None, *, committed: bool) -> None:
        """Tell what was committed, or may have been. A statement that wrote nothing may have carried nothing."""
        if self._notifier is None or not committed:
            return
        if carried is None:
            self._notifier.nudge()
        else:
            self._notifier.carried(carried)

    def _split(self, batch: list[Queued], error: Exception) -> None:
        for queued in batch:
            queued.alone = True
            if locked(error):
                self._bound(queued)
        self._queue.push_front(batch)

    def _set_aside(self, queued: Queued, error: Exception) -> None:
        stream = queued.append.stream
        self._queue.locked.add(stream)
        if asyncio.get_running_loop().time() < self._bound(queued):
            self._queue.push(queued)
        else:
            queued.tell(caused(StoreBusy(f"stream {stream!r} is kept locked by another transaction"), error))

    def _bound(self, queued: Queued) -> float:
        """Until when a locked append may be tried."""
        queued.until = queued.until or asyncio.get_running_loop().time() + self._database.bounds.statement
        return queued.until
