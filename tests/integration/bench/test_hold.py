"""The bench's half of the hold: processes stand still between two batches, and go on whatever becomes of the run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.platforms.platform import System
from bench.platforms.postgres.logins import Logins
from bench.platforms.processes import Process, Processes
from bench.trial.hold import NO_PROJECTOR, Hold
from metrics.records.sections.hold import ASKED, TOLD, Order, Told, ask, told
from settings.children import PYTHON
from tests.cluster import Cluster

WITHIN_S = 30.0
SLEEPER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"])
"""
SESSION = """
import asyncio, asyncpg, sys
async def main():
    connection = await asyncpg.connect(sys.argv[1], server_settings={"application_name": "projector p-1"})
    await connection.fetch("CREATE TABLE IF NOT EXISTS held (id int)")
    if sys.argv[2] == "open":
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO held VALUES (1)")
    print("ready", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


class Part:
    """A projector of processes of this machine."""

    kind, name, holder = "projector", "projector-1", "p-1"

    def __init__(self, process: Process) -> None:
        self.process = process

    def logs(self) -> str:
        """None."""
        return ""

    def pause(self) -> None:
        """SIGSTOP."""
        self.process.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.process.resume()


def states(process: Process) -> set[str]:
    leader = psutil.Process(process.pid)
    return {one.status() for one in (leader, *leader.children(recursive=True))}


def until_all(process: Process, *, stopped: bool) -> None:
    deadline = time.monotonic() + WITHIN_S
    while any((state == psutil.STATUS_STOPPED) != stopped for state in states(process)):
        assert time.monotonic() < deadline, states(process)
        time.sleep(0.01)


@contextmanager
def system(folder: Path, url: str, *parts: Any, has_store: bool = True, projectors: int = 1) -> Iterator[System]:
    """What a hold needs of one."""
    platform = SimpleNamespace(name="local", parts=lambda: list(parts))
    given: Any = {
        "settings": SimpleNamespace(projectors=projectors),
        "has_store": has_store,
        "postgres": None,
        "doctor": None,
        "processes": None,
        "influx": None,
    }
    yield System(platform=platform, base_url="", logins=Logins.given(url), **given)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes that are gone at the end."""
    with ExitStack() as opened:
        made = Processes(tmp_path, opened.enter_context(Guardian()))
        opened.callback(made.stop)
        yield made


def sleeper(processes: Processes) -> Process:
    """A process with a child, which runs a program of its own.

    Until it does, its parent waits for it within the kernel (vfork), where no signal stops it.
    """
    return until_ready(processes.start("sleeper", ["-c", SLEEPER], PYTHON.environment()))


def until_ready(process: Process) -> Process:
    deadline = time.monotonic() + WITHIN_S
    while "ready" not in process.log.read_text():
        assert time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.01)
    return process


def ordered(hold: Hold, folder: Path, part: Part, order: Order) -> Told:
    """What is told once an order was carried out by all of a projector."""
    ask(folder, order)
    hold.tick()
    until_all(part.process, stopped=order == "stand still")
    found = told(folder)
    assert found is not None
    return found


def test_all_of_a_projector_stands_still_and_goes_on_and_the_database_says_when(
    processes: Processes, cluster: Cluster, tmp_path: Path
) -> None:
    part = Part(sleeper(processes))
    with system(tmp_path, cluster.create(), part) as made:
        hold = Hold(made, tmp_path)
        assert told(tmp_path) == Told("ready")
        hold.tick()
        assert psutil.STATUS_STOPPED not in states(part.process), "before it was asked for"
        standing = ordered(hold, tmp_path, part, "stand still")
        hold.tick()
        assert told(tmp_path) == standing, "an order is carried out once"
        over = ordered(hold, tmp_path, part, "go on")
        hold.close()
    assert (standing.state, over.state, over.projectors, over.within_batch) == ("standing", "going on", 1, 0)
    assert over.stood_at is not None
    assert over.stood_at == standing.stood_at
    assert over.went_on_at is not None
    assert over.went_on_at > over.stood_at
    assert over.resolution_s is not None
    assert over.resolution_s >= 0
    assert not (tmp_path / ASKED).exists()
    assert json.loads((tmp_path / TOLD).read_text())["state"] == "going on"


def test_a_run_that_is_broken_off_in_the_hold_leaves_nobody_frozen(
    processes: Processes, cluster: Cluster, tmp_path: Path
) -> None:
    part = Part(sleeper(processes))
    with system(tmp_path, cluster.create(), part) as made:
        hold = Hold(made, tmp_path)
        ask(tmp_path, "stand still")
        hold.tick()
        until_all(part.process, stopped=True)
        hold.close()
        until_all(part.process, stopped=False)


@pytest.mark.parametrize("batch", ["open", "none"])
def test_a_projector_is_stopped_between_two_batches_or_it_is_told(
    batch: str, processes: Processes, cluster: Cluster, tmp_path: Path
) -> None:
    url = cluster.create()
    process = until_ready(processes.start("session", ["-c", SESSION, url, batch], PYTHON.environment()))
    with system(tmp_path, url, Part(process)) as made:
        hold = Hold(made, tmp_path)
        ask(tmp_path, "stand still")
        hold.tick()
        standing = told(tmp_path)
        until_all(process, stopped=True)
        hold.close()
    assert standing is not None
    assert (standing.state, standing.within_batch) == ("standing", int(batch == "open"))


def test_a_platform_without_the_power_says_so_and_stops_nobody(cluster: Cluster, tmp_path: Path) -> None:
    with system(tmp_path, cluster.create()) as made:
        hold = Hold(made, tmp_path)
        assert told(tmp_path) == Told("left out", "platform local has no power to pause the projector")
        hold.close()


def test_a_database_that_is_gone_stops_nobody_either(processes: Processes, tmp_path: Path) -> None:
    part = Part(sleeper(processes))
    with system(tmp_path, "postgresql://nobody@127.0.0.1:1/none", part) as made:
        hold = Hold(made, tmp_path)
        ask(tmp_path, "stand still")
        hold.tick()
        found = told(tmp_path)
        hold.close()
    assert found is not None
    assert (found.state, "could not be stopped" in found.why) == ("left out", True)
    assert psutil.STATUS_STOPPED not in states(part.process)


def test_an_order_that_can_not_be_read_ends_the_run(cluster: Cluster, tmp_path: Path) -> None:
    with system(tmp_path, cluster.create()) as made:
        hold = Hold(made, tmp_path)
        (tmp_path / ASKED).write_text('{"order": "dance"}')
        with pytest.raises(RunFailed, match="can not be read"):
            hold.tick()
        hold.close()


def test_a_store_that_is_none_of_ours_is_not_asked_and_the_machines_clock_says_when(
    processes: Processes, cluster: Cluster, tmp_path: Path
) -> None:
    part = Part(sleeper(processes))
    with system(tmp_path, cluster.create(), part, has_store=False) as made:
        hold = Hold(made, tmp_path)
        began = time.time()
        standing = ordered(hold, tmp_path, part, "stand still")
        over = ordered(hold, tmp_path, part, "go on")
        hold.close()
    assert (standing.state, standing.within_batch, standing.clock) == ("standing", None, "machine")
    assert standing.stood_at is not None
    assert over.went_on_at is not None
    assert began <= standing.stood_at <= over.went_on_at <= time.time()
    assert (over.clock, over.stood_at) == ("machine", standing.stood_at)


def test_a_target_without_projectors_has_no_hold(cluster: Cluster, tmp_path: Path) -> None:
    with system(tmp_path, cluster.create(), projectors=0) as made:
        hold = Hold(made, tmp_path)
        assert told(tmp_path) == Told("left out", NO_PROJECTOR)
        hold.close()
