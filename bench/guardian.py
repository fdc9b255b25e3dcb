"""A process that outlives the bench by a moment: when the bench is gone, for whatever reason, it ends what is left.

The bench holds the only writing end of a pipe to it. The end of that pipe means that the bench has died
(SIGKILL included); the guardian then stops every process group named to it and removes every folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Self

import psutil

from settings.children import PYTHON

PATIENCE_S = 5.0


class Guardian:
    """The bench's end of the pipe. A context manager; at its close the guardian process ends as well."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.guardian"]
        root = Path(__file__).resolve().parent.parent
        self._process = subprocess.Popen(
            command,
            env=PYTHON.environment(),
            stdin=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            cwd=root,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def watch(self, pid: int, stop: signal.Signals = signal.SIGTERM) -> None:
        """End the process group of `pid` with `stop` should the bench die. Forgotten once the process has ended."""
        try:
            self._tell(watch=pid, born=psutil.Process(pid).create_time(), stop=stop.value)
        except psutil.NoSuchProcess:
            return

    def forget(self, pid: int) -> None:
        """The process was stopped in order."""
        self._tell(forget=pid)

    def keep_clean(self, folder: Path) -> None:
        """Remove the folder should the bench die."""
        self._tell(folder=str(folder))

    def close(self) -> None:
        """End the guardian. What was not forgotten is stopped now."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, **message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


def main(orders: IO[str]) -> None:
    """Read orders until the bench is gone, then clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, tuple[float, int]] = {}
    folders: set[str] = set()
    for line in orders:
        order = json.loads(line)
        if "watch" in order:
            watched[order["watch"]] = (order["born"], order["stop"])
        elif "forget" in order:
            watched.pop(order["forget"], None)
        else:
            folders.add(order["folder"])
    left = [(pid, stop) for pid, (born, stop) in watched.items() if _lives(pid, born)]
    for pid, stop in reversed(left):
        _signal_group(pid, stop)
    _kill_after(PATIENCE_S, [pid for pid, _ in left])
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int, born: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - born) < 0.1
    except psutil.NoSuchProcess:
        return False


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _kill_after(patience: float, pids: list[int]) -> None:
    deadline = time.monotonic() + patience
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in pids:
        _signal_group(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.stdin)
