"""Batch loader (as DataLoader): concurrent lookups of single keys share one query."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MAX_BATCH: Final = 256
"""Keys in one query at most."""


class BatchLoader(Generic[K, V]):
    """While `lanes` queries are under way, further keys queue; the next query takes up to `MAX_BATCH` of them.

    An idle system adds a turn of the event loop to a lookup, in which others may join. An answer always comes from a
    query that began after the call. A query that fails fails for those who share it and for nobody else; a caller that
    is cancelled disturbs nobody.
    """

    def __init__(self, look_up: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, lanes: int = 2) -> None:
        self._look_up: Final = look_up
        self._free = lanes
        self._starting = False
        self._queue: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, key: K) -> V | None:
        """The value of the key, None if there is none. Raises what the query raises."""
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._queue.setdefault(key, []).append(answer)
        self._start()
        return await answer

    def _start(self) -> None:
        if self._free and self._queue and not self._starting:
            self._free -= 1
            self._starting = True
            task = asyncio.create_task(self._run())
            self._running.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free += 1
        self._start()

    def _gather(self) -> dict[K, list[asyncio.Future[V | None]]]:
        self._starting = False
        group = {key: self._queue.pop(key) for key in list(self._queue)[:MAX_BATCH]}
        self._start()
        return group

    async def _run(self) -> None:
        group = self._gather()
        try:
            found = await self._look_up(list(group))
        except Exception as error:
            for answers in group.values():
                for answer in _waiting(answers):
                    answer.set_exception(error)
        else:
            for key, answers in group.items():
                value = found.get(key)
                for answer in _waiting(answers):
                    answer.set_result(value)


def _waiting(answers: Sequence[asyncio.Future[V]]) -> list[asyncio.Future[V]]:
    """The answers that somebody still waits for."""
    return [answer for answer in answers if not answer.done()]
