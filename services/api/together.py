"""Look things up in company: concurrent lookups of single keys share one query."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST_TOGETHER: Final = 256
"""Keys in one query at most."""


class Together(Generic[K, V]):
    """While `lanes` queries are under way, further keys gather; the next query takes them all.

    An idle system gives a lookup no delay, and an answer always comes from a query that began after the call. A query
    that fails fails for those who share it and for nobody else; a caller that goes away disturbs nobody.
    """

    def __init__(self, look_up: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, lanes: int = 2) -> None:
        self._look_up: Final = look_up
        self._free = lanes
        self._line: dict[K, asyncio.Future[V | None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, key: K) -> V | None:
        """The value of the key, None if there is none. Raises what the query raises."""
        answer = self._line.get(key)
        if answer is None:
            answer = self._line[key] = asyncio.get_running_loop().create_future()
            self._start()
        return await asyncio.shield(answer)

    def _start(self) -> None:
        while self._free and self._line:
            keys = list(self._line)[:MOST_TOGETHER]
            group = {key: self._line.pop(key) for key in keys}
            self._free -= 1
            task = asyncio.create_task(self._run(group))
            self._running.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free += 1
        self._start()

    async def _run(self, group: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._look_up(list(group))
        except Exception as error:
            for answer in group.values():
                answer.set_exception(error)
                # Whoever asked may be gone, and then nobody takes the error.
                answer.exception()
        else:
            for key, answer in group.items():
                answer.set_result(found.get(key))
