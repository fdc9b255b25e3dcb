"""One shard as a process of the API has it: connections, append queue, lookups, and the verdict on its store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, TypeVar

import structlog

from eventstore.connection.rate_limit import BURST
from eventstore.connection.wakeup import Notifier
from eventstore.postgres import Database, PostgresEventStore
from eventstore.shards.hash_slots import Place
from eventstore.soundness.check import Check
from eventstore.soundness.rights import API
from eventstore.soundness.watch import Watch
from services.api.reading.batch_loader import BatchLoader
from services.api.reading.lookups import Find, Page
from services.api.settings import Settings
from services.api.shards.drain import Drain
from todo.read_models.todos import READ_MODEL, get_todos, list_todos

log = structlog.get_logger()

S = TypeVar("S")
T = TypeVar("T")

SLACK_S: Final = 0.002
"""How long the hint for the projectors waits for an append that takes it along."""


class Shard:
    """Everything of one store. Its connections open as requests need them."""

    def __init__(self, settings: Settings, url: str, place: Place) -> None:
        self.place: Final = place
        self.watch: Final = Watch(Check({**API, **READ_MODEL.read}, place=place), self._told, self._failed)
        self.database: Final = Database(
            url,
            pool_size=settings.pool_size,
            application_name="api",
            bounds=settings.bounds,
            greet=self.watch.greet,
        )
        self.notifier: Final = Notifier(self.database, burst=BURST, slack=SLACK_S)
        self.store: Final = PostgresEventStore(self.database, notifier=self.notifier, gate=self.watch.refuse)
        self.drain: Final = Drain(self.database)
        self.find: Final[Find] = BatchLoader(partial(get_todos, self.database))
        self.page: Final[Page] = partial(list_todos, self.database)

    def start(self) -> None:
        """Look at the store every few seconds, until `close`."""
        self.watch.start(self.database)

    async def close(self) -> None:
        """Finish the queued appends and the wake-ups on their way, then close the connections.

        Each is closed, whatever becomes of those before it. Raises what the last to fail raises.
        """
        async with AsyncExitStack() as closing:
            # The last is closed first.
            for one in (self.database, self.notifier, self.drain, self.store, self.watch):
                closing.push_async_callback(one.close)

    @property
    def name(self) -> str:
        """What tells it from the others; empty where there are none."""
        return str(self.place) if self.place.shards > 1 else ""

    def _told(self, reason: str) -> None:
        if reason:
            log.warning("store unsound: writes are refused", reason=reason, **self._named())
        else:
            log.info("store sound again", **self._named())

    def _failed(self, error: Exception) -> None:
        log.error("what the store rests on can not be looked at", exc_info=error, **self._named())

    def _named(self) -> dict[str, int]:
        return {"shard": self.place.number} if self.name else {}


async def close_all(shards: Sequence[Shard]) -> None:
    """Close all of them at the same time, each to its end. Raises what the first of them that failed raises."""
    ended = await asyncio.gather(*(shard.close() for shard in shards), return_exceptions=True)
    for error in filter(None, ended):
        raise error


async def of_those_in_time(reads: Sequence[Callable[[], Awaitable[T]]], seconds: float) -> list[T | None]:
    """What each gives, asked at the same time; None for those that take longer. Raises what one of the others raises.

    Those are not broken off, so that no connection is given up for it.
    """
    running = [asyncio.ensure_future(read()) for read in reads]
    await asyncio.wait(running, timeout=seconds)
    return [one.result() if one.done() else None for one in running]


async def of_each(shards: Sequence[S], read: Callable[[S], Awaitable[T]]) -> list[T]:
    """What each shard answers, in their order, asked at the same time. Raises what the first to fail raises."""
    if len(shards) == 1:
        return [await read(shards[0])]
    return list(await asyncio.gather(*map(read, shards)))
