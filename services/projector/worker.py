"""Worker loop: wake up, step while there is work, sleep until called; a heartbeat beside it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

from eventstore.connection.address import PostgresUrl
from eventstore.connection.database import Database
from eventstore.connection.rate_limit import BURST, RateLimit
from eventstore.connection.wakeup import NOTIFY, Listener
from eventstore.errors import StoreBusy, StoreUnavailable, StoreUnsound
from eventstore.schema import SLOTS
from eventstore.soundness.check import Check
from eventstore.sqlstates import kind_of
from projection.hooks import Hook, no_hook
from projection.pauses import SOON_S
from projection.registry import projectors as registry
from projection.statement.handler import Handler
from projection.strategy import OrderingStrategy, Step, Tools
from services.projector import read_models, strategies
from services.projector.files.health import HealthWriter
from services.projector.files.moments import Unwatched, Watch
from services.projector.heartbeat import Heartbeat
from services.projector.patience import DoesNotFit, Patience
from services.projector.preconditions import Preconditions, needed
from services.projector.settings import Settings

log = structlog.get_logger()

OnBatch = Callable[[float, int], None]
"""Told of every step that projected something: how long it took in seconds, and how many events."""


def ignore_batch(_seconds: float, _events: int) -> None:
    """Nobody listens."""


class Worker:
    """One projector. `run` works until `stop`; with `once`, until nothing is left.

    When the store is away, or unsound, it holds nothing, tries again with growing pauses, and starts anew. When the
    store is busy, it keeps what it holds and tries again. Only a defect ends it; and a job that can not keep a time
    limit of the server's (DoesNotFit), or whose store is unsound (StoreUnsound).
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        once: bool = False,
        hook: Hook = no_hook,
        on_batch: OnBatch = ignore_batch,
        listen: PostgresUrl | None = None,
        check: Check | None = None,
        handler: Handler | None = None,
        watch: Watch | None = None,
        health: HealthWriter | None = None,
    ) -> None:
        self._settings: Final = settings
        self._database: Final = database
        self._once: Final = once
        self._hook: Final = hook
        self._on_batch: Final = on_batch
        self._watch: Final = watch or Unwatched()
        slot = random.SystemRandom().randrange(SLOTS)
        tools = Tools(database, settings, slot, handler or read_models.handler(settings), hook, job=once)
        self._counts: Final = tools.counts
        self.strategy: OrderingStrategy = strategies.make(settings.strategy, tools)
        self._health: Final = health or HealthWriter(settings.health_file, settings.lease)
        self._rate_limit: Final = RateLimit(settings.linger, 1 if settings.handler_latency else BURST)
        self._preconditions: Final = Preconditions(database, check or needed(settings), settings.read_models)
        self._listener: Final = Listener(
            database, self.wake, url=listen, heartbeat=settings.heartbeat, on_change=self._listening
        )
        self._wake: Final = asyncio.Event()
        self._stopping = False
        self._patience: Final = Patience(database, job=once)
        self._heartbeat: Final = self._made_heartbeat()

    def _made_heartbeat(self) -> Heartbeat:
        third = self._settings.lease.total_seconds() / 3
        return Heartbeat(
            (self._preconditions.look, self._renew, self._beat),
            every_s=third,
            # No longer than connecting anew may take: a silent connection is not worth a lease.
            within_s=max(third, self._settings.bounds.connect),
            on_unsound=self.wake,
            waiting=lambda: bool(self._preconditions.why),
        )

    def _listening(self, deaf: str) -> None:
        self._health.deaf = deaf
        if deaf:
            log.warning("notifications are not heard: looking for work by itself", error=deaf)
        else:
            log.info("notifications are heard")

    def wake(self) -> None:
        """Look for work now."""
        self._watch.called()
        self._wake.set()

    def stop(self) -> None:
        """Finish the step under way, then give everything back."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work. Leases are released at the end, also after an error; a defect in the heartbeat ends the work."""
        self._listener.start()
        background = [asyncio.create_task(self._heartbeat.run()), asyncio.create_task(self._health.run())]
        for task in background:
            task.add_done_callback(self._stop_after_defect)
        try:
            await self._sessions()
        finally:
            for task in background:
                task.cancel()
            await asyncio.wait(background)
            await self._listener.close()
            await self._give_back()
        for task in background:
            if not task.cancelled():
                task.result()

    def _stop_after_defect(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self.stop()

    async def _give_back(self) -> None:
        """Each on its own: leases end by themselves, and so does a registration, but later."""
        name = self._settings.name
        steps = (
            self.strategy.release,
            lambda: registry.retire(self._database, name, self._told()),
            lambda: self._database.fetch(NOTIFY),
        )
        for step in steps:
            try:
                await step()
            except Exception as error:
                if kind_of(error) == "defect":
                    raise
                log.warning("not given back", error=str(error))

    async def _sessions(self) -> None:
        while not self._stopping:
            try:
                await self._session()
            except DoesNotFit:
                raise
            except StoreUnsound as error:
                await self._wait_until_sound(error)
            except Exception as error:
                # What the store refuses here is no event's fault: strategies count those themselves.
                if kind_of(error) == "defect":
                    await self._name_the_missing(error)
                    continue
                await self._rest(await self._patience.refused_s(error))

    async def _name_the_missing(self, error: Exception) -> None:
        """A right or a table that is gone is named, and waited for. Raises any other defect."""
        if isinstance(error, asyncpg.SyntaxOrAccessError):
            with contextlib.suppress(StoreUnavailable):
                await self._preconditions.look()
        if not self._preconditions.why:
            raise error

    async def _session(self) -> None:
        await self._preconditions.sound()
        await registry.register(self._database, self._settings)
        # Again: a migration, and a reset with another list of read models, wait for those that they find registered,
        # and for no others.
        await self._preconditions.look()
        self._health.heard()
        self._health.waits_for = ""
        await self.strategy.prepare()
        while not self._stopping:
            if self._preconditions.why:
                raise StoreUnsound(self._preconditions.why)
            self._wake.clear()
            try:
                step = await self._step()
            except StoreBusy as error:
                await self._rest(await self._patience.refused_s(error))
            else:
                await self._go_on_after(step)

    async def _step(self) -> Step:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._watch.begun()
        step = await self.strategy.step()
        if step.events or step.quiet:
            self._patience.rewarded()
        if step.events:
            self._rate_limit.began(started)
            self._on_batch(loop.time() - started, step.events)
        return step

    async def _go_on_after(self, step: Step) -> None:
        """At once while there is work; else asleep, or to the end."""
        if step.more or (self._once and step.events):
            return
        if self._once and await self.strategy.exhausted():
            await self._preconditions.sound()
            self._stopping = True
        else:
            await self._sleep(step)

    async def _sleep(self, step: Step) -> None:
        """Until somebody calls, or until it is time to look."""
        await self._hook("idle")
        longest = self._settings.poll
        if not (step.quiet and self._listener.connected.is_set()):
            longest = min(longest, SOON_S)
        await self._woken(longest if step.wait is None else min(step.wait, longest))
        rest = self._rate_limit.wait(asyncio.get_running_loop().time())
        if rest:
            await asyncio.sleep(rest)

    async def _woken(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _wait_until_sound(self, error: StoreUnsound) -> None:
        """Hold nothing, and say why: in the log, the health file, and `/stats` if that can be written."""
        self._preconditions.broken(error)
        if self._once:
            raise error
        self._health.waits_for = str(error)
        with contextlib.suppress(StoreUnavailable, asyncpg.PostgresError):
            await self.strategy.release()
            await registry.wait(self._database, self._settings, str(error))
        await self._rest(self._patience.pause_s())

    async def _rest(self, seconds: float) -> None:
        if not self._stopping:
            self._wake.clear()
        await self._woken(seconds)

    async def _renew(self) -> None:
        await self.strategy.renew()

    async def _beat(self) -> None:
        await registry.beat(self._database, self._settings.name, self._settings.lease, self._told())
        self._health.heard()

    def _told(self) -> registry.Told:
        usage = self._database.usage
        listening = self._listener.connected.is_set()
        return registry.Told(self._counts.fenced, usage.time_limits, listening, usage.open, usage.used, usage.awaited)
