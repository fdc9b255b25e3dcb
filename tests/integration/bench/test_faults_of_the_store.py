"""Faults of the store at a real server, beside a store and a projector at work: each hits, and nothing is lost.

What stands in for the load are writers in this process; the drills themselves are in `tests/acceptance/test_drills`.
Each has a database of its own, and they wait more than they work, so those that strike at no more than their database
are played side by side.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import psutil
import pytest

from bench.ends.errors import RunFailed
from bench.faults import (
    deadlock_storm,
    freeze_backend,
    full_disk,
    late_commit,
    no_connections,
    read_only,
    stalled_transaction,
    timeouts,
)
from bench.platforms.postgres.logins import Logins
from bench.trial.fault import NotApplicable
from bench.trial.foreign.altered import altered
from bench.trial.foreign.session import session
from eventstore.errors import StoreUnavailable
from tests.cluster import Cluster
from tests.integration.bench.plays import ALONE, ALTERED, PASSED_BY, STRIKES, Play, is_told, system, until
from tests.integration.projector.stage import Stage

SIDE_BY_SIDE: Final = 4
SETTINGS: Final = """
SELECT array_agg(said ORDER BY said) FROM pg_db_role_setting, unnest(setconfig) AS said
 WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
SHORTER: Final[Mapping[ModuleType, Mapping[str, float]]] = {
    deadlock_storm: {"LASTS_S": 0.2},
    freeze_backend: {"LASTS_S": 1.2},
    full_disk: {"LASTS_S": 0.2},
    late_commit: {"LASTS_S": 0.2},
    no_connections: {"LASTS_S": 0.2},
    read_only: {"LASTS_S": 0.2},
    stalled_transaction: {"FOREIGN_S": 0.2, "WRITER_S": 0.2},
    timeouts: {"ROWS_S": 0.2, "TABLE_S": 0.2},
}
"""For how long each lasts; what has not hit by then goes on until it has."""


@pytest.fixture(scope="module")
def played(cluster: Cluster) -> dict[str, Any]:
    """What came of each, or what went wrong with it, which its test raises."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(play: Play, url: str) -> Any:
        async with places, Stage.on(url) as stage:
            return await play(stage, system(cluster, url))

    async def together(plays: Mapping[str, Play]) -> dict[str, Any]:
        each = [one(play, cluster.create()) for play in plays.values()]
        return dict(zip(plays, await asyncio.gather(*each, return_exceptions=True), strict=True))

    async def play() -> dict[str, Any]:
        found = await together({**STRIKES, **PASSED_BY})
        for name in ALONE:
            found |= await together({name: ALONE[name]})
        return found

    with pytest.MonkeyPatch.context() as patched:
        for module, constants in SHORTER.items():
            for name, seconds in constants.items():
                patched.setattr(module, name, seconds)
        return asyncio.run(play())


def came_of(played: dict[str, Any], name: str) -> Any:
    found = played[name]
    if isinstance(found, BaseException):
        raise found
    return found


@pytest.mark.parametrize("name", [name for name in (*STRIKES, *ALONE) if name != "full-disk"])
def test_a_fault_hits_and_nothing_is_lost(name: str, played: dict[str, Any]) -> None:
    found = came_of(played, name)
    assert found.hit, found.what


def test_a_full_disk_hits_and_nothing_is_lost(played: dict[str, Any]) -> None:
    if os.geteuid() != 0:
        with pytest.raises(NotApplicable, match="a small file system can not be had"):
            came_of(played, "full-disk")
        return
    found = came_of(played, "full-disk")
    assert found.hit, found.what


@pytest.mark.parametrize("strategy", PASSED_BY)
def test_nobody_waits_for_foreign_transactions(strategy: str, played: dict[str, Any]) -> None:
    assert came_of(played, strategy) is None


def test_no_process_but_a_child_of_the_server_is_frozen(cluster: Cluster) -> None:
    found = system(cluster, cluster.server.url())
    (server,) = found.parts("postgres")
    own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert not found.freeze_backend(server, own.pid)
        assert not found.freeze_backend(server, 2**22)
        assert psutil.Process(own.pid).status() != psutil.STATUS_STOPPED
    finally:
        own.kill()
        own.wait()


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A migrated database for the tests of settings."""
    return cluster.create()


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage."""
    async with Stage.on(url) as stage:
        yield stage


async def test_what_the_database_had_before_is_given_back(stage: Stage, cluster: Cluster, url: str) -> None:
    """A setting of its own, and one that it has not."""
    database, found = url.rpartition("/")[2], system(cluster, url)
    await stage.sql(f"ALTER DATABASE {database} SET lock_timeout = '7s'")

    def alter() -> Any:
        with session(found) as dba, altered(found, dba, {"lock_timeout": "1s", "statement_timeout": "2s"}):
            return dba.value(SETTINGS)

    try:
        assert await asyncio.to_thread(alter) == ["lock_timeout=1s", "statement_timeout=2s"]
        await until(lambda: is_told(stage, SETTINGS, ["lock_timeout=7s"]), "the database's own setting to be back")
    finally:
        await until(lambda: done(stage, f"ALTER DATABASE {database} RESET lock_timeout"), "the end of the test")


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
