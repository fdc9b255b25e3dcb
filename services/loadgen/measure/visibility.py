"""Visibility latency: from the acknowledgement of a write to the first read that shows it, through the public API.

Beside it, of the same reads, the staleness of the load phase: see `staleness`. What the probe asks of the system is
bounded: `WRITES_PER_S` updates, a read after each, then one each `RESOLUTION_S` or `RELATIVE_RESOLUTION` of the age
until the write shows, one more over another connection, and for each `WAITED_EACH`-th a read that waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from random import Random
from typing import Any, Final

import aiohttp

from metrics.raw.visibility_samples import KEPT, Sample
from metrics.records.sections.staleness import Staleness
from services.loadgen.contract import (
    CREATED,
    REFUSALS,
    TODO,
    UNWELL,
    UPDATED,
    OutsideContract,
    Versioned,
    Written,
    decoded,
)
from services.loadgen.judge.todo import Todo, todo_to_json
from services.loadgen.measure.recorder import new_histogram, percentiles, quantile, record
from services.loadgen.measure.staleness import StalenessFigures
from services.loadgen.measure.wall_clock import epoch
from services.loadgen.measure.watched_todo import (
    NO_TODO,
    RELATIVE_RESOLUTION,
    RESOLUTION_S,
    Read,
    Seen,
    WatchedTodo,
    Write,
)
from services.loadgen.paths import todo_path

TODOS = 20
WRITES_PER_S = 25.0
SEEDS_VISIBLE_WITHIN_S = 5.0
WAITED_EACH: Final = 4
WAIT_MS: Final = 1000
NOT_IN_TIME: Final = (404, 504)
WAITED: Final = "200 with a version, or 504"

_NO_ANSWER = (aiohttp.ClientError, TimeoutError)


class VisibilityProbe:
    """Writes over one session; watches over `readers` in turn, each with connections of its own.

    What is acknowledged in the load phase is counted; the rest is told second by second alone.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        readers: Sequence[aiohttp.ClientSession],
        random: Random,
        *,
        waits: bool = True,
    ) -> None:
        self._session = session
        self._readers = readers
        self._turn: Iterator[aiohttp.ClientSession] = cycle(readers)
        self._random = random
        self._waits = waits
        self._watched: list[WatchedTodo] = []
        self._histogram = new_histogram()
        self._figures = StalenessFigures(waits=waits)
        self._samples: deque[tuple[WatchedTodo, Seen]] = deque(maxlen=KEPT)
        self._interval: list[float] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._written = 0
        self._written_at: float | None = None
        self._lost = 0
        self._requests = 0
        self._shown = asyncio.Event()
        self._counting = False
        self._counted_since = 0.0
        self._counted_s = 0.0

    async def seed(self) -> list[Todo]:
        """Create the probe's todos; each is acknowledged when this returns. Raises ClientError, OutsideContract."""
        for number in range(TODOS):
            text = f"probe {number}"
            async with self._session.post("/todos", json={"text": text}) as response:
                content = await response.read()
            written = decoded(Written, "POST", "/todos", response.status, content, CREATED)
            if not written.stream:
                raise OutsideContract("POST", "/todos", response.status, content, CREATED)
            todo = Todo(written.stream)
            todo.acknowledge(written.version, text)
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

    def count(self) -> None:
        """The load phase begins: what is acknowledged from now on is counted."""
        self._counting, self._counted_since = True, time.perf_counter()

    def rest(self) -> None:
        """The load phase is over: what is acknowledged from now on is not counted. Again, it does nothing."""
        if self._counting:
            self._counting = False
            self._counted_s = time.perf_counter() - self._counted_since

    def hold(self) -> None:
        """Nothing will be projected from now on for a while, which is no staleness of the load phase, which is over.

        So its writes that no read has shown are looked for no more; their age is a lower bound of their visibility.
        """
        self.rest()
        now = time.perf_counter()
        for write in self._give_up():
            record(self._histogram, now - write.acknowledged_at)

    def _give_up(self) -> list[Write]:
        """Those counted writes that no read has shown: they count as unseen, and the curve expects no more of them."""
        given_up = [write for watched in self._watched for write in watched.waiting.values() if write.counted]
        for write in given_up:
            write.counted = False
            self._figures.curve.not_seen(max((write.unseen_at or 0.0) - write.acknowledged_at, 0.0))
        return given_up

    async def write(self) -> None:
        """Update at random moments until cancelled. A slow answer does not hold up the next write."""
        due = time.perf_counter()
        while True:
            due += self._random.expovariate(WRITES_PER_S)
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            self._start(self._update(self._random.choice(self._watched)))

    async def settle(self) -> None:
        """Return when no write is in the air."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def see_counted(self) -> None:
        """Return when no write that counts waits to be seen."""
        while any(write.counted for watched in self._watched for write in watched.waiting.values()):
            self._shown.clear()
            await self._shown.wait()

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
        todos = [todo_to_json(watched.todo) for watched in self._watched]
        return {"todos": todos, "lost": self._lost, "written_at": self._written_at}

    def next_interval(self) -> dict[str, Any]:
        """Percentiles of the visibility latencies since the last call, in milliseconds; None when there were none.

        And how old the oldest write is that no read has shown.
        """
        ordered, self._interval = sorted(self._interval), []
        p50, p99 = quantile(ordered, 0.5), quantile(ordered, 0.99)
        now = time.perf_counter()
        waiting = (write.acknowledged_at for watched in self._watched for write in watched.waiting.values())
        unseen_ms = round((now - min(waiting, default=now)) * 1000, 3)
        return {
            "p50_ms": p50 and round(p50 * 1000, 3),
            "p99_ms": p99 and round(p99 * 1000, 3),
            "unseen_age_ms": unseen_ms,
        }

    def report(self) -> dict[str, Any]:
        """The result's sections, the histogram, the raw samples, and how many acknowledged writes were never seen."""
        found = percentiles(self._histogram)
        return {
            "visibility_ms": {**found.to_dict(), "samples": self._histogram.get_total_count()},
            "staleness": self.staleness().to_dict(),
            "samples": [_sample(watched, seen) for watched, seen in self._samples],
            "histogram": self._histogram.encode().decode("ascii"),
            "updates": sum(len(watched.todo.versions) - 1 for watched in self._watched),
            "unseen": sum(len(watched.waiting) for watched in self._watched),
            "resolution_ms": RESOLUTION_S * 1000,
            "relative_resolution": RELATIVE_RESOLUTION,
        }

    def staleness(self) -> Staleness:
        """The section of the load phase, which is over."""
        self.rest()
        self._give_up()
        return self._figures.section(
            connections=len(self._readers),
            requests_per_s=round(self._requests / self._counted_s, 1) if self._counted_s else None,
            resolution_ms=RESOLUTION_S * 1000,
            relative_resolution=RELATIVE_RESOLUTION,
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._land)

    def _land(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failed.done():
            self._failed.set_exception(error)

    async def _until_visible(self, watched: WatchedTodo) -> None:
        while True:
            read = await self._read(watched)
            if read is not None and read.version >= watched.todo.version:
                return
            await asyncio.sleep(RESOLUTION_S)

    async def _update(self, watched: WatchedTodo) -> None:
        self._written += 1
        waited = self._waits and self._written % WAITED_EACH == 0
        text, path, sent_at = f"probe update {self._written}", todo_path(watched.todo.id), time.time()
        self._requests += self._counting
        try:
            async with self._session.put(path, json={"text": text}) as response:
                content = await response.read()
                at = time.perf_counter()
        except _NO_ANSWER:
            self._lose(watched, text)
            return
        if response.status in REFUSALS:
            return
        if response.status >= UNWELL:
            self._lose(watched, text)
            return
        version = decoded(Written, "PUT", path, response.status, content, UPDATED).version
        self._written_at = max(sent_at, self._written_at or 0.0)
        watched.acknowledge(version, text, at, counted=self._counting, epoch=epoch())
        if waited and self._counting:
            await self._wait_for(watched, version)

    def _lose(self, watched: WatchedTodo, text: str) -> None:
        """The write may have been committed."""
        self._lost += 1
        watched.todo.doubt(text)

    async def _wait_for(self, watched: WatchedTodo, version: int) -> None:
        """A read that waits for the version, beside the polls, of which it is none: it is held back on purpose."""
        with self._asking() as session, suppress(*_NO_ANSWER):
            path, began = todo_path(watched.todo.id), time.perf_counter()
            asked = {"at_least_version": str(version), "wait": str(WAIT_MS)}
            async with session.get(path, params=asked) as response:
                content = await response.read()
                seconds = time.perf_counter() - began
            if not (found := self._waited(path, response.status, content)) or not self._counting:
                return
            self._figures.waiting.note(seen=found >= version, seconds=seconds)

    @staticmethod
    def _waited(path: str, status: int, content: bytes) -> int:
        """The version that a read which waited shows: NO_TODO where it came in vain, 0 where that is not an answer."""
        if status in NOT_IN_TIME:
            return NO_TODO
        return 0 if status >= UNWELL else decoded(Versioned, "GET", path, status, content, WAITED).version

    async def _watch(self, watched: WatchedTodo) -> None:
        while True:
            await watched.wake.wait()
            watched.news.clear()
            await self._look(watched)
            if not watched.waiting:
                # Over the next connection: another process of the API may show less.
                await self._look(watched)
            elif not watched.news.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(watched.next_poll_s(time.perf_counter())):
                        await watched.news.wait()

    async def _look(self, watched: WatchedTodo) -> None:
        read = await self._read(watched)
        if read is None:
            await asyncio.sleep(RESOLUTION_S)
            return
        seen, next_of = watched.look(read)
        if self._counting and read.floor:
            self._figures.monotonic_reads += 1
            self._figures.monotonic_violations += read.goes_back
        for write in next_of:
            self._note_next(write, read)
        for one in seen:
            self._note_seen(watched, one)

    def _note_next(self, write: Write, read: Read) -> None:
        if write.counted:
            self._figures.first.note(seen=bool(write.next_read), seconds=read.seconds)

    def _note_seen(self, watched: WatchedTodo, seen: Seen) -> None:
        self._shown.set()
        self._interval.append(seen.latency_s)
        if seen.write.counted:
            record(self._histogram, seen.latency_s)
            self._figures.curve.seen(*seen.interval_s)
        self._samples.append((watched, seen))

    async def _read(self, watched: WatchedTodo) -> Read | None:
        """One read over the next connection; None without an answer."""
        floor = watched.shown
        with self._asking() as session, suppress(*_NO_ANSWER):
            path, sent_at = todo_path(watched.todo.id), time.perf_counter()
            async with session.get(path) as response:
                content = await response.read()
            if response.status >= UNWELL:
                return None
            gone = response.status == 404
            version = NO_TODO if gone else decoded(Versioned, "GET", path, response.status, content, TODO).version
            return Read(version, sent_at, time.perf_counter(), floor, epoch())
        return None

    @contextmanager
    def _asking(self) -> Iterator[aiohttp.ClientSession]:
        self._requests += self._counting
        yield next(self._turn)


def _sample(watched: WatchedTodo, seen: Seen) -> Sample:
    write, read = seen.write, seen.read
    since = write.acknowledged_at
    return {
        "stream": watched.todo.id,
        "version": write.version,
        "acknowledged_at": round(since + write.epoch, 6),
        "answered_at": round(read.answered_at + read.epoch, 6),
        "unseen_ms": None if write.unseen_at is None else round((write.unseen_at - since) * 1000, 3),
        "sent_ms": round((read.sent_at - since) * 1000, 3),
        "answered_ms": round((read.answered_at - since) * 1000, 3),
        "next_read": write.next_read,
        "counted": write.counted,
    }
