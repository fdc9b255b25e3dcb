"""Visibility latency: from the acknowledgement of a write to the first read that shows it, through the public API."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from random import Random
from typing import Any

import aiohttp

from services.loadgen.judge.ledger import Todo, todo_to_json
from services.loadgen.measure.recorder import new_histogram, percentiles, quantile, record

TODOS = 20
WRITES_PER_S = 25.0
RESOLUTION_S = 0.002
RELATIVE_RESOLUTION = 0.2
SEEDS_VISIBLE_WITHIN_S = 5.0

_NO_ANSWER = (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError)


class WatchedTodo:
    """One todo of the probe, with the acknowledged versions that no read has shown yet."""

    def __init__(self, todo: Todo) -> None:
        self.todo = todo
        self.shown = 0
        self.waiting: dict[int, float] = {}
        self.wake = asyncio.Event()

    def acknowledge(self, version: int, text: str, at: float) -> None:
        """An answer came: from now on its visibility is waited for."""
        self.todo.acknowledge(version, text)
        self.waiting[version] = at
        self.wake.set()

    def show(self, version: int, at: float) -> list[float]:
        """A read showed this version at that time: the latencies of all acknowledged versions that it includes."""
        self.shown = max(self.shown, version)
        seen = [v for v in self.waiting if v <= self.shown]
        if len(seen) == len(self.waiting):
            self.wake.clear()
        return [max(at - self.waiting.pop(v), 0.0) for v in seen]

    def next_poll_s(self, now: float) -> float:
        """The pause before the next read: fine at first, coarser with age, so that a late server is not flooded."""
        oldest = min(self.waiting.values(), default=now)
        return max(RESOLUTION_S, RELATIVE_RESOLUTION * (now - oldest))


class VisibilityProbe:
    """Writes, watches, and keeps the histogram of visibility latencies."""

    def __init__(self, session: aiohttp.ClientSession, random: Random) -> None:
        self._session = session
        self._random = random
        self._watched: list[WatchedTodo] = []
        self._histogram = new_histogram()
        self._interval: list[float] = []
        self._writes: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._written = 0
        self._lost = 0

    async def seed(self) -> list[Todo]:
        """Create the probe's todos; each is acknowledged when this returns. Raises aiohttp.ClientError."""
        for number in range(TODOS):
            text = f"probe {number}"
            async with self._session.post("/todos", json={"text": text}) as response:
                response.raise_for_status()
                document = await response.json()
            todo = Todo(document["stream"])
            todo.acknowledge(int(document["version"]), text)
            self._watched.append(WatchedTodo(todo))
        return [watched.todo for watched in self._watched]

    async def wait_visible(self) -> bool:
        """True once every seed can be read, False when that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SEEDS_VISIBLE_WITHIN_S):
                for watched in self._watched:
                    await self._until_visible(watched)
                return True
        return False

    async def write(self) -> None:
        """Update at random moments until cancelled. A slow answer does not hold up the next write."""
        due = time.perf_counter()
        while True:
            due += self._random.expovariate(WRITES_PER_S)
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            task = asyncio.create_task(self._update(self._random.choice(self._watched)))
            self._writes.add(task)
            task.add_done_callback(self._land)

    async def settle(self) -> None:
        """Return when no write is in the air."""
        while self._writes:
            await asyncio.wait(self._writes)

    async def fail(self) -> None:
        """Never return. Raises what a write failed of, if that was no lost answer."""
        await self._failed

    async def watch(self) -> None:
        """Poll every todo that has an acknowledged version to wait for, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for watched in self._watched:
                group.create_task(self._watch(watched))

    def acknowledged(self) -> dict[str, Any]:
        """What the probe wrote, for the ledger of the run."""
        return {"todos": [todo_to_json(watched.todo) for watched in self._watched], "lost": self._lost}

    def next_interval(self) -> dict[str, Any]:
        """Percentiles of the visibility latencies since the last call, in milliseconds; None when there were none."""
        ordered, self._interval = sorted(self._interval), []
        p50, p99 = quantile(ordered, 0.5), quantile(ordered, 0.99)
        return {"p50_ms": p50 and round(p50 * 1000, 3), "p99_ms": p99 and round(p99 * 1000, 3)}

    def report(self) -> dict[str, Any]:
        """The result's section, the histogram, and how many acknowledged writes were never seen."""
        found = percentiles(self._histogram)
        return {
            "visibility_ms": {**found.to_dict(), "samples": self._histogram.get_total_count()},
            "histogram": self._histogram.encode().decode("ascii"),
            "updates": sum(len(watched.todo.versions) - 1 for watched in self._watched),
            "unseen": sum(len(watched.waiting) for watched in self._watched),
            "resolution_ms": RESOLUTION_S * 1000,
            "relative_resolution": RELATIVE_RESOLUTION,
        }

    def _land(self, task: asyncio.Task[None]) -> None:
        self._writes.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)

    async def _until_visible(self, watched: WatchedTodo) -> None:
        while True:
            if await self._read(watched) >= watched.todo.version:
                return
            await asyncio.sleep(RESOLUTION_S)

    async def _update(self, watched: WatchedTodo) -> None:
        self._written += 1
        text = f"probe update {self._written}"
        try:
            async with self._session.put(f"/todos/{watched.todo.id}", json={"text": text}) as response:
                document = await response.json(content_type=None)
                at = time.perf_counter()
                if 400 <= response.status < 500:
                    return
                response.raise_for_status()
                watched.acknowledge(int(document["version"]), text, at)
        except _NO_ANSWER:
            self._lost += 1
            watched.todo.doubt(text)

    async def _watch(self, watched: WatchedTodo) -> None:
        while True:
            await watched.wake.wait()
            version = await self._read(watched)
            now = time.perf_counter()
            for latency in watched.show(version, now):
                record(self._histogram, latency)
                self._interval.append(latency)
            if watched.waiting:
                await asyncio.sleep(watched.next_poll_s(now))

    async def _read(self, watched: WatchedTodo) -> int:
        try:
            async with self._session.get(f"/todos/{watched.todo.id}") as response:
                document = await response.json(content_type=None)
                return int(document["version"]) if response.status == 200 else 0
        except _NO_ANSWER:
            await asyncio.sleep(RESOLUTION_S)
            return 0
