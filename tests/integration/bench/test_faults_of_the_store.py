"""Faults of the store at a real server, beside a store and a projector at work: each hits, and nothing is lost.

What stands in for the load are writers in this process; the drills themselves are in `tests/acceptance/test_drills`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from bench.ends.errors import RunFailed
from bench.faults import (
    deadlock_storm,
    freeze_backend,
    full_disk,
    kill_backend,
    late_commit,
    no_connections,
    read_only,
    stalled_transaction,
    timeouts,
)
from bench.platforms.local.parts import Server
from bench.platforms.platform import System
from bench.platforms.postgres.logins import Logins
from bench.trial.fault import Evidence, NotApplicable
from bench.trial.foreign.altered import altered
from bench.trial.foreign.session import NAME, session
from eventstore.errors import StoreError, StoreUnavailable
from eventstore.events import ExpectedVersion
from tests.cluster import Cluster, as_role
from tests.integration.projector.stage import CREATED, UPDATED, Stage, faults, until
from tests.integration.sqlstates.trouble import STRATEGIES, blamed

STREAMS = 6
LOOK_S = 0.05
WITHIN_S = 20.0
FOREIGN = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{NAME}'"
HERE = "setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
ALTERED = f"SELECT count(*) FROM pg_db_role_setting WHERE {HERE}"
SETTINGS = f"SELECT array_agg(said ORDER BY said) FROM pg_db_role_setting, unnest(setconfig) AS said WHERE {HERE}"
PASSED = "SELECT max(projected_position) > {} FROM tallies"
SHORT_S = 0.2
SILENT_S = 1.0


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A migrated database for the tests of this module."""
    return cluster.create()


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage."""
    async with Stage.on(url) as stage:
        yield stage


@pytest.fixture
def system(cluster: Cluster, url: str, tmp_path: Path) -> System:
    """What faults of the store need of one."""
    server = Server(cluster.server, tmp_path / "postgres.log")
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
            await asyncio.sleep(0.002)

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


async def struck(
    fault: Any, stage: Stage, system: System, strategy: str, enough: Callable[[Any, Writers], bool] = has_hit
) -> Evidence:
    """The fault from its set-up to its heal, which comes once there is enough of it; afterwards all must be right."""
    await asyncio.to_thread(fault.set_up, system)
    async with asyncio.timeout(2 * WITHIN_S), stage.projector(**STRATEGIES[strategy]) as projector:
        async with writing(stage) as writers:
            await until(lambda: some_projected(stage), "the first events to be projected")
            await until(lambda: invoked(fault, stage), "the strike")
            try:
                await until(lambda: watched(fault, stage, writers, enough), "enough of it")
            finally:
                await asyncio.to_thread(fault.heal)
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


@pytest.mark.parametrize("strategy", ["stream-leases", "serial"])
async def test_a_backend_is_ended_within_a_transaction(stage: Stage, system: System, strategy: str) -> None:
    found = await struck(kill_backend.Fault(), stage, system, strategy)
    assert found.hit, found.what


async def test_a_backend_stands_still_with_its_locks_and_goes_on(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freeze_backend, "LASTS_S", 1.2)
    found = await struck(freeze_backend.Fault(), stage, system, "serial", lambda *_: True)
    assert found.hit, found.what


async def test_a_frozen_backend_goes_on_when_the_run_is_broken_off(stage: Stage, system: System) -> None:
    """After the strike as before it: what is frozen is thawed by whoever undoes the span."""
    fault = freeze_backend.Fault()
    await asyncio.to_thread(fault.set_up, system)
    async with stage.projector(**STRATEGIES["serial"]), writing(stage):
        await until(lambda: invoked(fault, stage), "the strike")
        process = psutil.Process(fault.pid)
        assert process.status() == psutil.STATUS_STOPPED
        await asyncio.to_thread(fault.heal)
        await until(lambda: is_awake(process), "the backend to go on")


async def is_awake(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() != psutil.STATUS_STOPPED


def test_no_process_but_a_child_of_the_server_is_frozen(system: System) -> None:
    (server,) = system.parts("postgres")
    own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert not system.freeze_backend(server, own.pid)
        assert not system.freeze_backend(server, 2**22)
        assert psutil.Process(own.pid).status() != psutil.STATUS_STOPPED
    finally:
        own.kill()
        own.wait()


async def test_a_database_is_read_only_for_a_while(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "LASTS_S", SHORT_S)
    found = await struck(read_only.Fault(), stage, system, "claim-and-project")
    assert found.hit, found.what


async def test_a_disk_is_full_for_a_while(stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "LASTS_S", SHORT_S)
    if os.geteuid() != 0:
        with pytest.raises(NotApplicable, match="a small file system can not be had"):
            await asyncio.to_thread(full_disk.Fault().set_up, system)
        return
    found = await struck(full_disk.Fault(), stage, system, "stream-leases")
    assert found.hit, found.what


async def test_all_connections_are_taken_for_a_while(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(no_connections, "LASTS_S", SHORT_S)
    found = await struck(no_connections.Fault(), stage, system, "serial")
    assert found.hit, found.what


async def test_transactions_stand_idle_for_a_while(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FOREIGN_S", "WRITER_S"):
        monkeypatch.setattr(stalled_transaction, name, SHORT_S)
    found = await struck(stalled_transaction.Fault(), stage, system, "serial")
    assert found.hit, found.what


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_nobody_waits_for_foreign_transactions(
    stage: Stage, system: System, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long they stand idle, with a write, without one, or with a snapshot."""
    monkeypatch.setattr(stalled_transaction, "FOREIGN_S", 2 * WITHIN_S)
    fault = stalled_transaction.Fault()
    async with stage.projector(**STRATEGIES[strategy]), writing(stage):
        await until(lambda: some_projected(stage), "the first events to be projected")
        await asyncio.to_thread(fault.set_up, system)
        await asyncio.to_thread(fault.invoke, {})
        newest = await stage.value("SELECT max(position) FROM events")
        await until(lambda: is_told(stage, PASSED.format(newest), True), "later events to be projected")
        assert await stage.value(FOREIGN + " AND state = 'idle in transaction'") == len(stalled_transaction.FOREIGN)
        await asyncio.to_thread(fault.heal)


@pytest.mark.parametrize("strategy", ["serial", "stream-leases"])
async def test_an_event_is_committed_after_later_ones(
    stage: Stage, system: System, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_commit, "LASTS_S", SHORT_S)
    found = await struck(late_commit.Fault(), stage, system, strategy)
    assert found.hit, found.what


@pytest.mark.parametrize("strategy", ["serial", "stream-leases"])
async def test_transactions_cross_with_the_systems(
    stage: Stage, system: System, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlock_storm, "LASTS_S", SHORT_S)
    found = await struck(deadlock_storm.Fault(), stage, system, strategy, foreign_ones_were_ended)
    assert found.hit, found.what


def foreign_ones_were_ended(fault: Any, _: Writers) -> bool:
    """The server's own count is read when all of them have ended."""
    return any(told.ended for told in fault.told)


async def test_time_limits_of_a_dba_cancel_what_waits(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROWS_S", "TABLE_S"):
        monkeypatch.setattr(timeouts, name, SHORT_S)
    found = await struck(timeouts.Fault(), stage, system, "stream-leases")
    assert found.hit, found.what


async def test_what_the_database_had_before_is_given_back(stage: Stage, system: System, url: str) -> None:
    """A setting of its own, and one that it has not."""
    database = url.rpartition("/")[2]
    await stage.sql(f"ALTER DATABASE {database} SET lock_timeout = '7s'")

    def alter() -> Any:
        with session(system) as dba, altered(system, dba, {"lock_timeout": "1s", "statement_timeout": "2s"}):
            return dba.value(SETTINGS)

    try:
        assert await asyncio.to_thread(alter) == ["lock_timeout=1s", "statement_timeout=2s"]
        await until(lambda: is_told(stage, SETTINGS, ["lock_timeout=7s"]), "the database's own setting to be back")
    finally:
        await until(lambda: done(stage, f"ALTER DATABASE {database} RESET lock_timeout"), "the end of the test")


async def is_told(stage: Stage, statement: str, wanted: object) -> bool:
    """Whatever was cut meanwhile."""
    try:
        return bool(await stage.value(statement) == wanted)
    except StoreUnavailable:
        return False


async def done(stage: Stage, statement: str) -> bool:
    try:
        await stage.sql(statement)
    except StoreUnavailable:
        return False
    return True


ALTERING = """
import sys, time
from types import SimpleNamespace
from bench.platforms.postgres.logins import Logins
from bench.trial.foreign.altered import altered
from bench.trial.foreign.session import session
system = SimpleNamespace(logins=Logins.given(sys.argv[1]))
with session(system) as dba, altered(system, dba, {"default_transaction_read_only": "on"}):
    print("altered", flush=True)
    time.sleep(60)
"""


async def test_a_bench_that_is_killed_leaves_no_setting(stage: Stage, url: str) -> None:
    bench = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ALTERING, url, stdout=asyncio.subprocess.PIPE, cwd=str(Path(__file__).parents[3])
    )
    assert bench.stdout is not None
    assert await bench.stdout.readline() == b"altered\n"
    bench.send_signal(signal.SIGKILL)
    await bench.wait()
    await until(lambda: is_told(stage, ALTERED, 0), "the setting to be taken back")


def test_a_server_that_is_not_there_is_a_failure_of_the_run() -> None:
    nobody: Any = SimpleNamespace(logins=Logins.given("postgresql://nobody@127.0.0.1:1/none"), has_store=True)
    with pytest.raises(RunFailed, match="the database's owner could not be served"):
        read_only.Fault().set_up(nobody)
