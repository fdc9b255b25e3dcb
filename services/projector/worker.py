"""The projector's loop: wake up, step while there is work, linger a little, sleep; a heartbeat beside it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

import structlog

from eventstore.database import Database
from eventstore.errors import StoreUnavailable
from eventstore.schema import SLOTS
from eventstore.wakeup import Listener
from services.projector import registry
from services.projector.drain import Drain
from services.projector.modes import Mode, Probe, Step, Tools
from services.projector.parallel import Parallel
from services.projector.pulse import Pulse
from services.projector.serial import Serial
from services.projector.settings import Settings

log = structlog.get_logger()

_LONGEST_PAUSE_S: Final = 5.0


async def _no_probe(_moment: str) -> None:
    return None


OnBatch = Callable[[float, int], None]
"""Told of every step that projected something: how long it took in seconds, and how many events."""


def ignore_batch(_seconds: float, _events: int) -> None:
    """Nobody listens."""


class Worker:
    """One projector. `run` works until `stop`; with `once`, until nothing is left.

    When the store is away it holds nothing, tries again with growing pauses, and starts anew.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        once: bool = False,
        probe: Probe = _no_probe,
        on_batch: OnBatch = ignore_batch,
    ) -> None:
        self._settings: Final = settings
        self._database: Final = database
        self._once: Final = once
        self._probe: Final = probe
        self._on_batch: Final = on_batch
        tools = Tools(database, settings, random.SystemRandom().randrange(SLOTS), probe)
        self.mode: Mode = self._mode(tools)
        self._pulse: Final = Pulse(settings.health_file, settings.lease)
        self._wake: Final = asyncio.Event()
        self._stopping = False
        self._pause = 0.0

    def _mode(self, tools: Tools) -> Mode:
        if self._settings.serial:
            return Serial(tools)
        return Drain(tools) if self._once and not self._settings.handler_latency else Parallel(tools)

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the step under way, then give everything back."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work. Leases are released at the end, also after an error; a defect in the heartbeat ends the work."""
        listener = Listener(self._database, self.wake)
        listener.start()
        background = [asyncio.create_task(self._heartbeat()), asyncio.create_task(self._pulse.run())]
        for task in background:
            task.add_done_callback(self._stop_after_defect)
        try:
            await self._sessions()
        finally:
            for task in background:
                task.cancel()
            await asyncio.wait(background)
            await listener.close()
            with contextlib.suppress(StoreUnavailable):
                await self.mode.release()
                await registry.retire(self._database, self._settings.name)
        for task in background:
            if not task.cancelled():
                task.result()

    def _stop_after_defect(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self.stop()

    async def _sessions(self) -> None:
        while not self._stopping:
            try:
                await self._session()
            except StoreUnavailable as error:
                await self._wait_for_store(error)

    async def _session(self) -> None:
        await registry.register(self._database, self._settings.name, self._settings.mode, self._settings.lease)
        self._pulse.heard()
        await self.mode.prepare()
        self._pause = 0.0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            self._wake.clear()
            started = loop.time()
            step = await self.mode.step()
            if step.events:
                self._on_batch(loop.time() - started, step.events)
            if step.more:
                continue
            if step.events:
                await self._linger(started)
            elif step.wait is None and self._once and await self.mode.exhausted():
                self._stopping = True
            else:
                await self._sleep(step)

    async def _linger(self, started: float) -> None:
        """Let a few more events gather; a batch for each single one would cost the writers their processor."""
        rest = started + self._settings.linger - asyncio.get_running_loop().time()
        if rest > 0:
            await asyncio.sleep(rest)

    async def _sleep(self, step: Step) -> None:
        await self._probe("idle")
        wait = self._settings.poll if step.wait is None else min(step.wait, self._settings.poll)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), wait)

    async def _wait_for_store(self, error: StoreUnavailable) -> None:
        log.warning("store away", error=str(error))
        self._pause = min(_LONGEST_PAUSE_S, max(0.1, self._pause * 2))
        if not self._stopping:
            self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._pause * random.uniform(0.5, 1.0))

    async def _heartbeat(self) -> None:
        """Keep leases and registration alive from a task and a connection of their own, whatever the step does."""
        while True:
            await asyncio.sleep(self._settings.lease.total_seconds() / 3)
            try:
                await self.mode.renew()
                await registry.beat(self._database, self._settings.name, self._settings.lease)
                self._pulse.heard()
            except StoreUnavailable as error:
                log.warning("heartbeat missed", error=str(error))
