"""Runs by the command line on a real Postgres, and what each left at its end, however it ended.

They wait more than they work, so several go side by side.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psutil

from tests.acceptance.bench_process import FAKE, HELD, LONG, SHORT, Bench, bench, until

SIDE_BY_SIDE = 3


@dataclass
class End:
    """What a bench left: the exit code, its words, its documents, and whether anything of it was left running."""

    code: int | None
    said: str
    files: set[str]
    documents: dict[str, Any]
    texts: dict[str, str]
    latest: str
    clean: bool

    @classmethod
    async def of(cls, ran: Bench) -> End:
        await ran.ended()
        clean, folder = await ran.nothing_left(), ran.bundle
        return cls(
            code=ran.code,
            said=ran.said,
            files={path.name for path in folder.iterdir()},
            documents={path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")},
            texts={
                path.name: path.read_text()
                for path in (*folder.glob("*.hdr"), *folder.glob("*.html"), *folder.glob("*.jsonl"))
            },
            latest=(ran.results / "latest").resolve().name,
            clean=clean,
        )

    @property
    def result(self) -> dict[str, Any]:
        """`result.json`."""
        return dict(self.documents["result"])


async def parallel() -> End:
    async with bench("run", "throughput", "--mode", "parallel", **HELD) as ran:
        return await End.of(ran)


async def locks_over_two_processes() -> End:
    told = {"STRATEGY": "stream-locks", "API_PROCESSES": "2", "HANDLER": "each"}
    async with bench("run", "throughput", **SHORT, **told) as ran:
        return await End.of(ran)


async def killed_projector_then_serial(url: str) -> tuple[End, End]:
    """Two runs on one given database; the second finds what the first left, and walks it in the global order."""
    # A slow handler, so that the projector surely holds leases at any moment.
    slow = {"HANDLER_LATENCY_MS": "400", "LEASE_SECONDS": "2"}
    async with bench("run", "--kill-projector-at", "1s", **SHORT, **slow, DATABASE_URL=url) as ran:
        killed = await End.of(ran)
    async with bench("run", "throughput", **HELD, DATABASE_URL=url, SERIAL_PROJECTION="true") as ran:
        return killed, await End.of(ran)


async def ended_by(sign: signal.Signals) -> End:
    # Of our own system `test_ends` has them all.
    async with bench("run", "throughput", **LONG, TARGET=FAKE) as ran:
        await ran.in_phase("load")
        ran.send(sign)
        return await End.of(ran)


async def ended_in_the_hold(sign: signal.Signals) -> End:
    """Its projector stands still when the signal comes."""
    async with bench("run", "throughput", **{**LONG, "DURATION": "1s", "HOLD": "120s"}) as ran:
        await ran.in_phase("hold")
        projector = ran.part("-m services.projector")
        await until(lambda: projector.status() == psutil.STATUS_STOPPED, ran)
        ran.send(sign)
        await ran.ended()
        clean = await ran.nothing_left()
        result = ran.bundle / "result.json"
        documents = {"result": json.loads(result.read_text())} if result.exists() else {}
        return End(ran.code, ran.said, set(), documents, {}, "", clean)


async def bench_killed() -> End:
    async with bench("run", "throughput", **LONG) as ran:
        await ran.in_phase("load")
        ran.send(signal.SIGKILL)
        await ran.ended()
        return End(ran.code, ran.said, set(), {}, {}, "", await ran.nothing_left())


async def api_killed() -> End:
    async with bench("run", "throughput", **LONG) as ran:
        await ran.in_phase("load")
        ran.part("-m services.api").kill()
        return await End.of(ran)


async def every_end(url: str) -> dict[str, Any]:
    """The end of each run by its name, or the error that it ended with."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)
    plans: dict[str, Callable[[], Awaitable[Any]]] = {
        "killed projector, then serial": lambda: killed_projector_then_serial(url),
        "parallel": parallel,
        "two API processes": locks_over_two_processes,
        "api killed": api_killed,
        "bench killed": bench_killed,
        "SIGINT": lambda: ended_by(signal.SIGINT),
        "SIGTERM": lambda: ended_by(signal.SIGTERM),
        "SIGINT in the hold": lambda: ended_in_the_hold(signal.SIGINT),
        "killed in the hold": lambda: ended_in_the_hold(signal.SIGKILL),
    }

    async def play(plan: Callable[[], Awaitable[Any]]) -> Any:
        async with places:
            return await plan()

    return dict(zip(plans, await asyncio.gather(*map(play, plans.values()), return_exceptions=True), strict=True))
