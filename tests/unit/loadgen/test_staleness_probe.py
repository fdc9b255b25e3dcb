"""The probe against a small API whose faults are planted: what it counts is what was done to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import aiohttp
from aiohttp import web

from metrics.records.sections.staleness import Staleness
from services.loadgen.measure.visibility import VisibilityProbe

ENOUGH = 60
LONG_S = 20.0


@dataclass
class Api:
    """Todos in memory, visible at once. `answer_s`: how long the answer of a write takes after its commit.

    `old_every`: each so many reads shows the version before. `late`: a write is shown once this is set.
    """

    answer_s: float = 0.0
    old_every: int = 0
    late: asyncio.Event | None = None
    versions: dict[str, int] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    waited: int = 0

    async def create(self, _: web.Request) -> web.Response:
        id = f"t{len(self.versions)}"
        self.versions[id] = self.shown[id] = 1
        return web.json_response({"stream": id, "version": 1}, status=201)

    async def update(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        self.versions[id] += 1
        version = self.versions[id]
        if self.late is None:
            self.shown[id] = version
        await asyncio.sleep(self.answer_s)
        return web.json_response({"stream": id, "version": version})

    async def get(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        if self.late is not None and self.late.is_set():
            self.shown[id] = self.versions[id]
        self.waited += "at_least_version" in request.query
        if "at_least_version" in request.query and self.shown[id] < int(request.query["at_least_version"]):
            return web.json_response({"title": "not projected yet"}, status=504)
        self.reads += 1
        old = self.old_every and self.reads % self.old_every == 0
        return web.json_response({"id": id, "version": max(self.shown[id] - bool(old), 1)})


@asynccontextmanager
async def probing(api: Api, *, waits: bool = True) -> AsyncIterator[VisibilityProbe]:
    """A probe that writes and watches in its load phase."""
    app = web.Application()
    app.add_routes(
        [web.post("/todos", api.create), web.put("/todos/{id}", api.update), web.get("/todos/{id}", api.get)]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    async with AsyncExitStack() as opened:
        opened.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        sessions = [await opened.enter_async_context(aiohttp.ClientSession(address)) for _ in range(4)]
        probe = VisibilityProbe(sessions[0], sessions[1:], Random(1), waits=waits)
        await probe.seed()
        probe.count()
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(probe.write()), group.create_task(probe.watch())]
            yield probe
            for task in work:
                task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, with a bound."""
    async with asyncio.timeout(LONG_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def figures(api: Api) -> Staleness:
    """Of a load phase with enough writes."""
    async with probing(api) as probe:
        await until(lambda: sum(api.versions.values()) > ENOUGH + len(api.versions))
        return probe.staleness()


async def test_one_view_of_the_data_never_goes_back() -> None:
    found = await figures(Api())
    assert found.monotonic_reads >= ENOUGH
    assert (found.monotonic_violations, found.read_your_writes, found.waiting.seen) == (0, 1.0, 1.0)


async def test_an_old_version_after_a_newer_one_is_counted() -> None:
    found = await figures(Api(old_every=5))
    assert found.monotonic_violations is not None
    assert found.monotonic_violations > 0


async def test_visibility_begins_at_the_acknowledgement_and_not_when_the_write_was_sent() -> None:
    """A write that is shown before its slow answer has come is shown without any wait."""
    found = await figures(Api(answer_s=0.3))
    assert found.visible_within_ms.p50 is not None
    assert found.visible_within_ms.p50 < 150


async def test_a_hold_leaves_no_trace_in_the_figures_of_the_load() -> None:
    """What no read had shown when it began counts as unseen, not by the length of the hold."""
    api = Api(late=asyncio.Event())
    assert api.late is not None
    async with probing(api) as probe:
        await until(lambda: sum(api.versions.values()) > ENOUGH + len(api.versions))
        probe.hold()
        api.late.set()
        await until(lambda: probe.next_interval()["unseen_age_ms"] == 0)
        after = probe.report()
    found = Staleness.from_dict(after["staleness"])
    assert found.unseen == found.writes > 0
    assert (found.read_your_writes, found.curve[-1][1]) == (0.0, 0.0)
    assert len(after["samples"]) >= found.writes
    assert all(sample["counted"] is False for sample in after["samples"])


async def test_a_target_without_reads_that_wait_is_asked_for_none_and_tells_no_price() -> None:
    api = Api()
    async with probing(api, waits=False) as probe:
        await until(lambda: sum(api.versions.values()) > ENOUGH + len(api.versions))
        found = probe.staleness().waiting
    assert not api.waited
    assert (found.reads, found.extra_p50_ms, found.plain_reads > 0) == (0, None, True)
    assert found.why == "not told: the target has no reads that wait for a version"
