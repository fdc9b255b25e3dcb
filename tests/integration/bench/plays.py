"""Plays of faults at a real server: writers and a projector at work, a fault, and what must be right after it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import psutil

from bench.faults import stalled_transaction
from bench.platforms.local.parts import Server
from bench.platforms.platform import System
from bench.platforms.postgres.logins import Logins
from bench.trial.fault import Evidence, load
from bench.trial.foreign.session import NAME
from eventstore.errors import StoreError, StoreUnavailable
from eventstore.events import ExpectedVersion
from tests.cluster import Cluster, as_role
from tests.integration.projector import stage as stages
from tests.integration.projector.stage import CREATED, UPDATED, Stage, faults
from tests.integration.sqlstates.trouble import STRATEGIES, blamed

STREAMS: Final = 6
PAUSE_S: Final = 0.01
LOOK_S: Final = 0.05
WITHIN_S: Final = 60.0
FOREIGN: Final = f"""
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{NAME}'
"""
ALTERED: Final = """
SELECT count(*) FROM pg_db_role_setting
 WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
PASSED: Final = "SELECT max(projected_position) > {} FROM tallies"
SILENT_S: Final = 1.0

until = partial(stages.until, within_s=WITHIN_S, every_s=LOOK_S)
Play = Callable[[Stage, System], Awaitable[Any]]


def system(cluster: Cluster, url: str) -> System:
    """What faults of the store need of one."""
    server = Server(cluster.server, Path(os.devnull))
    platform: Any = SimpleNamespace(name="local", parts=lambda: [server])
    logins = Logins(url, as_role("api", url), as_role("projector", url), url, as_role("oracle", url), {})
    given: Any = dict.fromkeys(("postgres", "doctor", "processes", "influx"))
    return System(platform=platform, base_url="", logins=logins, **{**given, "settings": SimpleNamespace(seed=1)})


@dataclass
class Writers:
    """One for each stream, each write after the one before, until `ended`; what was refused is counted."""

    stage: Stage
    refused: int = 0
    slowest_s: float = 0.0
    ended: bool = False
    versions: dict[str, int] = field(default_factory=dict)

    async def write(self, stream: str) -> None:
        """Its events: one creates, all others update."""
        while not self.ended:
            version, began = self.versions.get(stream, 0), time.monotonic()
            try:
                event = UPDATED if version else CREATED
                await self.stage.store.append(stream, [event], expected=ExpectedVersion(version))
                self.versions[stream] = version + 1
            except StoreError:
                self.refused += 1
                await self._look(stream)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)

    async def _look(self, stream: str) -> None:
        """What became of a write without an answer."""
        while True:
            try:
                told = await self.stage.value("SELECT version FROM streams WHERE stream = $1", stream)
            except StoreUnavailable:
                await asyncio.sleep(LOOK_S)
            else:
                self.versions[stream] = told or 0
                return

    def told(self) -> dict[str, Any]:
        """As a load generator tells it."""
        return {
            "acknowledged": {"indeterminate": self.refused},
            "latency_ms": {"actions": {"max": self.slowest_s * 1000}},
        }


@asynccontextmanager
async def writing(stage: Stage) -> AsyncIterator[Writers]:
    """Writers at work until the block ends."""
    writers = Writers(stage)
    async with asyncio.TaskGroup() as tasks:
        for number in range(STREAMS):
            tasks.create_task(writers.write(f"todo-{number}"))
        try:
            yield writers
        finally:
            writers.ended = True


@asynccontextmanager
async def healed(fault: Any) -> AsyncIterator[None]:
    """However the block ends, the fault does, too: what it leaves would be met by all other tests of this server."""
    try:
        yield
    finally:
        await asyncio.to_thread(fault.heal)


async def seen(stage: Stage) -> dict[str, int] | None:
    """The figures of `/stats`, None while the store is away, or silent."""
    try:
        async with asyncio.timeout(SILENT_S):
            stats = await stage.stats()
    except (StoreUnavailable, TimeoutError):
        return None
    return {"eventCount": stats.events, "totalEventsProjected": stats.projected, "backlog": stats.backlog}


def has_hit(fault: Any, writers: Writers) -> bool:
    """As far as its evidence is there before it is healed."""
    found: Evidence = fault.evidence(writers.told())
    return found.hit


def foreign_ones_were_ended(fault: Any, _: Writers) -> bool:
    """The server's own count is read when all of them have ended."""
    return any(told.ended for told in fault.told)


def stands(fault: Any, _: Writers) -> bool:
    """Its process is stopped; whoever waits for it is told of at the end."""
    return psutil.Process(fault.pid).status() == psutil.STATUS_STOPPED


async def struck(
    name: str, strategy: str, enough: Callable[[Any, Writers], bool], stage: Stage, system: System
) -> Evidence:
    """A fault from its set-up to its heal, which comes once there is enough of it; afterwards all must be right."""
    fault: Any = load(name)
    await asyncio.to_thread(fault.set_up, system)
    async with stage.projector(**STRATEGIES[strategy]) as projector:
        async with writing(stage) as writers:
            await until(lambda: some_projected(stage), "the first events to be projected")
            async with healed(fault):
                await until(lambda: invoked(fault, stage), "the strike")
                await until(lambda: watched(fault, stage, writers, enough), "enough of it")
            await until(lambda: some_projected(stage), "the store to be back")
        await until(stage.projected, "all events to be projected")
        assert not projector.task.done()
    found: Evidence = await asyncio.to_thread(fault.evidence, writers.told())
    await until(lambda: is_told(stage, FOREIGN, 0), "the foreign sessions to be closed")
    assert await stage.value(ALTERED) == 0, "a setting of the database was left"
    assert await blamed(stage) == 0
    verification = await stage.oracle(serial=strategy == "serial")
    assert faults(verification) == {}, verification.offenders
    assert verification.correctness.events_checked == sum(writers.versions.values())
    return found


async def invoked(fault: Any, stage: Stage) -> bool:
    return bool(await asyncio.to_thread(fault.invoke, await seen(stage) or {}))


async def watched(fault: Any, stage: Stage, writers: Writers, enough: Callable[[Any, Writers], bool]) -> bool:
    return bool(await asyncio.to_thread(fault.watch, await seen(stage))) and enough(fault, writers)


async def some_projected(stage: Stage) -> bool:
    return ((await seen(stage)) or {}).get("totalEventsProjected", 0) > 20


async def is_told(stage: Stage, statement: str, wanted: object) -> bool:
    """Whatever was cut meanwhile."""
    try:
        return bool(await stage.value(statement) == wanted)
    except StoreUnavailable:
        return False


async def passed_by(strategy: str, stage: Stage, system: System) -> None:
    """Projectors go past transactions that stand idle all the time: with a write, without one, with a snapshot."""
    fault = stalled_transaction.Fault()
    async with stage.projector(**STRATEGIES[strategy]), writing(stage), healed(fault):
        await until(lambda: some_projected(stage), "the first events to be projected")
        await asyncio.to_thread(fault.set_up, system)
        await asyncio.to_thread(fault.invoke, {})
        newest = await stage.value("SELECT max(position) FROM events")
        await until(lambda: is_told(stage, PASSED.format(newest), True), "later events to be projected")
        assert await stage.value(FOREIGN + " AND state = 'idle in transaction'") == len(stalled_transaction.FOREIGN)


STRIKES: Final[Mapping[str, Play]] = {
    "full-disk": partial(struck, "full-disk", "stream-leases", has_hit),
    "read-only": partial(struck, "read-only", "claim-and-project", has_hit),
    "late-commit": partial(struck, "late-commit", "serial", has_hit),
    "late-commit-beside-leases": partial(struck, "late-commit", "stream-leases", has_hit),
    "deadlock-storm": partial(struck, "deadlock-storm", "serial", foreign_ones_were_ended),
    "timeouts": partial(struck, "timeouts", "stream-leases", has_hit),
    "kill-backend": partial(struck, "kill-backend", "stream-leases", has_hit),
    "stalled-transaction": partial(struck, "stalled-transaction", "serial", has_hit),
}
PASSED_BY: Final[Mapping[str, Play]] = {strategy: partial(passed_by, strategy) for strategy in STRATEGIES}
ALONE: Final[Mapping[str, Play]] = {
    "freeze-backend": partial(struck, "freeze-backend", "serial", stands),
    "no-connections": partial(struck, "no-connections", "serial", has_hit),
}
"""These strike at all databases of the server."""
