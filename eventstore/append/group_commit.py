"""Coalesce concurrent appends into one statement and one commit (group commit in the client).

While a statement is under way, further appends gather; the next statement takes them all. An idle store gives an
append no delay. Each append keeps its own outcome:

* a conflict or a replay is found inside the statement, beside whatever the others get. A conflict is looked at twice
  where the first look may deceive: lean statements do not name it, and one that an append with a key met may have been
  its own first sending;
* an error that Postgres answers with undoes the statement for all: nothing was written. Everybody in it then goes on
  alone, and only the one that fails again is told; after a time limit, all go on in smaller company;
* an append whose stream somebody else keeps locked goes on alone, too, at the end of the line, again and again for as
  long as the database's timeout; the others move on meanwhile;
* a lost connection or a timeout leaves the outcome of that statement unknown: everybody in it, and nobody else, gets
  StoreUnavailable.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg

from eventstore.append.queue import Line, Waiting
from eventstore.append.single import append_one
from eventstore.append.singles import append_singles
from eventstore.append.statement import Append, append_all
from eventstore.append.undone import caused, locked, named, worth_another
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

MOST_TOGETHER: Final = 256
"""Appends in one statement at most; more gave no further speed and a longer wait."""

MOST_WAITING: Final = 10_000
"""Appends that may wait in line; a further one is refused at once."""

_ATTEMPTS: Final = 5


class Coalescer:
    """Takes appends from any number of tasks; `lanes` statements are under way at most.

    While appends come one at a time, a caller runs its statement itself, which saves two turns of the event loop.

    A caller that is cancelled before its append is under way has written nothing. Later, an append in company goes on
    without it; one alone is cancelled with it, and may have been written or not.
    """

    def __init__(
        self,
        database: Database,
        *,
        lanes: int = 2,
        notifier: Notifier | None = None,
        gate: Callable[[], None] | None = None,
    ) -> None:
        self._database: Final = database
        self._notifier: Final = notifier
        self._gate: Final = gate
        self._line: Final = Line()
        self._busy: Final[set[asyncio.Task[None]]] = set()
        # A slot of its own for each lane: two statements that meet in one row would wait for each other's commit.
        self._lanes: Final = lanes
        self._slots: Final = random.SystemRandom().sample(range(SLOTS), lanes)
        self._together: Final = BatchSize(MOST_TOGETHER)
        self._starting = False
        self._calm = True
        self._closed = False
        self._end: asyncio.Future[None] | None = None

    async def append(self, append: Append) -> Appended:
        """Append, in company. Raises what `append_all` gives for this one, or StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if len(self._line) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} appends are waiting already")
        waiting = Waiting(append, asyncio.get_running_loop().create_future())
        if self._calm and self._slots and not self._line and self._line.take(waiting):
            await self._serve([waiting], self._slots.pop())
        else:
            self._line.join(waiting)
            self._start()
        return await waiting.answer

    async def close(self) -> None:
        """Finish all appends in line, then refuse further ones."""
        self._closed = True
        while self._under_way():
            if self._end is None or self._end.done():
                self._end = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._end)

    def _under_way(self) -> bool:
        return bool(self._line) or len(self._slots) < self._lanes

    def _start(self) -> None:
        """Have a free lane look at the line, after all that the event loop has at hand: they may join, too."""
        if self._slots and self._line and not self._starting:
            self._starting = True
            lane = asyncio.create_task(self._run(self._slots.pop()))
            self._busy.add(lane)
            lane.add_done_callback(self._busy.discard)

    async def _run(self, slot: int) -> None:
        self._starting = False
        group = self._line.gather(self._together.now)
        if not group:
            self._give_back(slot)
            return
        self._start()
        await self._serve(group, slot)

    async def _serve(self, group: list[Waiting], slot: int) -> None:
        try:
            await self._commit(group, slot)
        finally:
            self._calm = len(group) == 1 and not self._line
            self._line.release(group)
            self._give_back(slot)
            self._start()

    def _give_back(self, slot: int) -> None:
        self._slots.append(slot)
        if self._end and not self._end.done() and not self._under_way():
            self._end.set_result(None)

    async def _commit(self, group: list[Waiting], slot: int) -> None:
        carried = self._notifier.carry() if self._notifier else None
        try:
            outcomes = await self._attempt(group, slot, wake=carried is not None)
        except (asyncpg.PostgresError, InvalidEvent, StoreBusy) as error:
            self._undone(group, error)
        except StoreUnavailable as error:
            self._wake(None, committed=not isinstance(error, StoreUnsound))
            for waiting in group:
                # One for each: an exception collects the tracebacks of all who raise it.
                waiting.tell(type(error)(*error.args))
        except Exception as error:
            for waiting in group:
                waiting.tell(error)
        except BaseException:
            self._wake(None, committed=True)
            for waiting in group:
                waiting.tell(StoreUnavailable("the append was interrupted"))
                # The one who waits may be the one who is interrupted, and then nobody takes the error.
                if not waiting.answer.cancelled():
                    waiting.answer.exception()
            raise
        else:
            self._together.fitted(len(group))
            self._wake(carried, committed=self._settle(group, outcomes))

    def _undone(self, group: list[Waiting], error: Exception) -> None:
        """Nothing was written: go on in smaller company, or later, or tell the one that was alone."""
        if len(group) > 1 and isinstance(error, TimeLimit):
            self._together.halve(len(group))
            self._line.return_to_front(group)
        elif len(group) > 1:
            self._part(group, error)
        elif locked(error):
            self._set_aside(group[0], error)
        else:
            group[0].tell(named(error))

    async def _attempt(self, group: list[Waiting], slot: int, *, wake: bool) -> Sequence[Appended | StoreError | None]:
        """Run the statement; again when a key was first used elsewhere at the same moment, or after a deadlock.

        On a connection that has become read-only, it is run again on a new one; and without its notification where that
        may be what the server has no room for.
        """
        appends = [waiting.append for waiting in group]
        lean = all(waiting.append.single and not waiting.doubted for waiting in group)
        for attempt in range(_ATTEMPTS):
            try:
                async with self._database.connection() as connection:
                    if self._gate:
                        # Here, because a connection that was just made may have changed its mind.
                        self._gate()
                    if not lean:
                        return await append_all(connection, appends, slot=slot, wake=wake)
                    if len(appends) == 1:
                        return [await append_one(connection, appends[0], slot=slot, wake=wake)]
                    return await append_singles(connection, appends, slot=slot, wake=wake)
            except (asyncpg.UniqueViolationError, InvalidEvent, StoreUnavailable) as error:
                if not worth_another(error, attempt, wake=wake):
                    raise
                wake = wake and not isinstance(error, InvalidEvent)
        raise StoreBusy(f"the append was undone {_ATTEMPTS} times by others that ran at the same moment")

    def _settle(self, group: list[Waiting], outcomes: Sequence[Appended | StoreError | None]) -> bool:
        """Tell everybody, but for those who go again. True when an event was committed."""
        again = []
        committed = False
        for waiting, outcome in zip(group, outcomes, strict=True):
            self._line.locked.discard(waiting.append.stream)
            if outcome is None or (isinstance(outcome, VersionConflict) and waiting.append.key and not waiting.doubted):
                waiting.doubted = True
                again.append(waiting)
                continue
            waiting.tell(outcome)
            committed = committed or (isinstance(outcome, Appended) and not outcome.replayed)
        self._line.return_to_front(again)
        return committed

    def _wake(self, carried: float | None, *, committed: bool) -> None:
        """Tell what was committed, or may have been. A statement that wrote nothing may have carried nothing."""
        if self._notifier is None or not committed:
            return
        if carried is None:
            self._notifier.nudge()
        else:
            self._notifier.carried(carried)

    def _part(self, group: list[Waiting], error: Exception) -> None:
        for waiting in group:
            waiting.alone = True
            if locked(error):
                self._bound(waiting)
        self._line.return_to_front(group)

    def _set_aside(self, waiting: Waiting, error: Exception) -> None:
        stream = waiting.append.stream
        self._line.locked.add(stream)
        if asyncio.get_running_loop().time() < self._bound(waiting):
            self._line.join(waiting)
        else:
            waiting.tell(caused(StoreBusy(f"stream {stream!r} is kept locked by another transaction"), error))

    def _bound(self, waiting: Waiting) -> float:
        """Until when a locked append may be tried."""
        waiting.until = waiting.until or asyncio.get_running_loop().time() + self._database.bounds.statement
        return waiting.until
