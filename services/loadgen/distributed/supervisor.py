"""Supervisor of a run: starts the visibility probe and Locust, relays messages, and always writes a result."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import structlog

from metrics.records.sections.hold import Order
from services.loadgen.distributed.child_process import Child
from services.loadgen.distributed.locust_command import STOP_TIMEOUT_S, as_master, locust_command
from services.loadgen.distributed.standstill import Standstill
from services.loadgen.judge.convergence import Judgement
from services.loadgen.judge.ledger import Counts
from services.loadgen.messages import Message
from services.loadgen.output.bundle import Bundle
from services.loadgen.output.progress import line
from services.loadgen.settings import Settings
from services.loadgen.workload.readiness import NotQuiet, NotReady, take_baseline
from settings import patience
from settings.children import LOCUST, LOCUST_FOLDER, PYTHON

ROOT = Path(__file__).parents[3]
QUIT_WITHIN_S = STOP_TIMEOUT_S + 8.0
PROBE_READY_WITHIN_S = 20.0

_T = TypeVar("_T")

log = structlog.get_logger()


class Stopped(Exception):
    """The run ends early; the message says why."""


class Supervisor:
    """One run. Whatever happens, its children are gone and its result is written when `run` returns."""

    def __init__(self, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._bundle = Bundle(settings)
        self._probe: Child | None = None
        self._locust: Child | None = None
        self._workers: list[Child] = []
        self._standstill = Standstill(settings.results_dir)
        self._ordered: set[asyncio.Task[None]] = set()
        self._guard: asyncio.Task[None] | None = None
        self._seeds: asyncio.Future[int] = loop.create_future()
        self._reported: asyncio.Future[Message] = loop.create_future()
        self._stopped: asyncio.Future[str] = loop.create_future()
        self._told: asyncio.Future[None] = loop.create_future()

    async def run(self) -> Judgement:
        """The whole run and its verdict."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(sign, self._stop, f"interrupted by {sign.name}")
        judgement = Judgement("invalid", "the load generator was broken off")
        try:
            judgement = await self._judge()
        except NotQuiet as refusal:
            judgement = refusal.judgement
        except (NotReady, Stopped) as refusal:
            judgement = Judgement("invalid", str(refusal))
        except Exception as error:
            log.exception("the supervisor failed")
            judgement = Judgement("invalid", f"the load generator failed: {type(error).__name__}: {error}")
        finally:
            await self._end_children()
            self._bundle.close(judgement)
        return judgement

    async def _judge(self) -> Judgement:
        drains = self._settings.offers("drain")
        stats = await self._unless_stopped(asyncio.to_thread(take_baseline, self._settings.base_url, drains=drains))
        self._bundle.begin(stats)
        seeds = await self._start_probe() if self._settings.scenario.visibility_probe else 0
        # A wrong token is told while the run can still be ended without a loss.
        await self._unless_stopped(asyncio.to_thread(self._bundle.settle))
        counts = stats.counts
        locust = await self._start_locust(Counts(counts.todos + seeds, counts.active + seeds, counts.events + seeds))
        code = await self._end_of(locust)
        if self._bundle.result is not None:
            return Judgement(self._bundle.result["verdict"], self._bundle.result["why"])
        if self._stopped.done():
            raise Stopped(self._stopped.result())
        raise Stopped(f"the Locust process ended with exit code {code}")

    async def _start_probe(self) -> int:
        command = [sys.executable, "-m", "services.loadgen.measure.visibility_probe"]
        env = PYTHON.reading("loadgen").environment()
        self._probe = await Child.start(command, env, self._from_probe, self._stop, cwd=ROOT)
        self._guard = asyncio.create_task(self._guard_probe(self._probe))
        try:
            return await self._unless_stopped(asyncio.wait_for(self._seeds, PROBE_READY_WITHIN_S))
        except TimeoutError:
            raise Stopped("the probe could not create its todos") from None

    async def _guard_probe(self, probe: Child) -> None:
        code = await probe.ended()
        if not self._reported.done():
            self._reported.cancel()
            self._stop(f"the probe process ended with exit code {code}")

    async def _start_locust(self, baseline: Counts) -> Child:
        command = locust_command(self._settings)
        if self._settings.workers:
            command += as_master(await self._start_workers(), self._settings.workers)
        told = {
            "LOADGEN_BASELINE": json.dumps(vars(baseline)),
            "LOADGEN_PROBE": "1" if self._probe else "",
            "LOADGEN_UNHELD": self._standstill.impossible,
        }
        env = LOCUST.reading("loadgen").environment(told)
        self._locust = await Child.start(command, env, self._from_locust, self._stop, cwd=LOCUST_FOLDER)
        return self._locust

    async def _start_workers(self) -> str:
        """Start the workers, unless they come from elsewhere; returns where they look for their master."""
        if self._settings.listen is not None:
            return self._settings.listen
        address = f"127.0.0.1:{_free_port()}"
        command = [sys.executable, "-m", "services.loadgen.worker"]
        for _ in range(self._settings.workers):
            env = PYTHON.environment({"LOADGEN_MASTER": address})
            self._workers.append(await Child.start(command, env, _ignore, self._stop, cwd=ROOT))
        return address

    async def _end_of(self, locust: Child) -> int | None:
        """Wait for Locust's last word and its end; after a stop, no longer than for the word."""
        ended = asyncio.create_task(locust.ended())
        await _first(ended, self._told, self._stopped)
        if not self._stopped.done():
            await _first(ended, self._stopped, within_s=QUIT_WITHIN_S)
        elif not ended.done():
            await _first(ended, self._told, within_s=patience.LAST_WORD_S)
        return ended.result() if ended.done() else None

    async def _end_children(self) -> None:
        if self._probe is not None:
            self._probe.send("finish")
            await asyncio.wait({self._reported}, timeout=patience.REPORT_S)
        children = [child for child in (self._locust, *self._workers, self._probe) if child is not None]
        await asyncio.gather(*(child.stop() for child in children))

    def _from_locust(self, message: Message) -> None:
        match message["event"]:
            case "phase":
                log.info("phase", name=message["name"])
                self._bundle.phase(message["name"], message["at"])
                self._lead_probe(message["name"])
            case "hold":
                order = asyncio.create_task(self._order(message["order"]))
                self._ordered.add(order)
                order.add_done_callback(self._ordered.discard)
            case "sample":
                print(line(self._bundle.sample(message)), flush=True)
            case "result":
                self._bundle.result = message
                if not self._told.done():
                    self._told.set_result(None)

    def _lead_probe(self, phase: str) -> None:
        if self._probe is None:
            return
        if phase == "load":
            self._probe.send("write")
        elif phase == "hold":
            self._probe.send("rest")
        elif phase == "convergence":
            self._probe.send("quiet")

    async def _order(self, order: Order) -> None:
        if order == "stand still" and self._probe is not None:
            self._probe.send("hold")
        told = await self._standstill.order(order)
        if self._locust is not None:
            self._locust.send("held", told=told.to_dict())

    def _from_probe(self, message: Message) -> None:
        match message["event"]:
            case "ready" if not self._seeds.done():
                self._seeds.set_result(message["seeds"])
            case "visibility":
                self._bundle.visibility(message)
            case "quiet" if self._locust is not None:
                self._locust.send("probe", todos=message["todos"], lost=message["lost"])
            case "seen" if self._locust is not None:
                self._locust.send("seen")
            case "failed":
                self._stop(message["why"])
            case "report" if not self._reported.done():
                self._bundle.report = message
                self._reported.set_result(message)

    def _stop(self, why: str) -> None:
        if not self._stopped.done():
            self._stopped.set_result(why)
        if self._locust is not None:
            self._locust.send("stop", why=why)

    async def _unless_stopped(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await the work. Raises Stopped as soon as the run is to end."""
        task = asyncio.create_task(work)
        await _first(task, self._stopped)
        if task.done():
            return task.result()
        task.cancel()
        raise Stopped(self._stopped.result())


def _ignore(_: Message) -> None:
    """What a worker says goes to the master, not here."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _first(*futures: asyncio.Future[Any], within_s: float | None = None) -> None:
    await asyncio.wait(futures, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
