"""A throw-away server that is broken off while its data folder is made leaves no shared memory behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest

from bench import ROOT
from settings.children import PYTHON
from tests.acceptance.bench_process import living_memory, shared_memory

WITHIN_S = 60.0
LOOK_S = 0.005
PROGRAM = """
import sys
from bench.ends.conclude import conclude
from bench.platforms.postgres.cluster import Cluster
def act():
    with Cluster.throwaway("test"):
        print("ready", flush=True)
    return 0
sys.exit(conclude(act))
"""


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(LOOK_S)


def below(process: psutil.Process, name: str) -> list[psutil.Process]:
    """Its descendants of that name."""
    found = []
    with suppress(psutil.Error):
        for child in process.children(recursive=True):
            with suppress(psutil.Error):
                if child.name() == name:
                    found.append(child)
    return found


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_one_that_is_broken_off_while_initdb_runs_leaves_no_shared_memory(sign: signal.Signals, code: int) -> None:
    started = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, env=PYTHON.environment(), text=True)
    itself = psutil.Process(started.pid)
    segments: set[str] = set()
    seen: set[psutil.Process] = set()

    def look() -> bool:
        """Note what `initdb` and the servers that it runs map; True once there is something."""
        seen.update(below(itself, "initdb"))
        servers = [server for initdb in list(seen) for server in below(initdb, "postgres")]
        segments.update(*(shared_memory(server.pid) for server in servers))
        seen.update(servers)
        return bool(segments)

    def gone() -> bool:
        look()
        return not any(process.is_running() for process in seen)

    until(look)
    others = set(itself.children(recursive=True)) - seen
    started.send_signal(sign)
    until(gone)
    assert started.wait(WITHIN_S) == code
    assert psutil.wait_procs(others, timeout=WITHIN_S)[1] == []
    assert not segments & living_memory()
