"""A process that outlives the bench by a moment: when the bench is gone, for whatever reason, it ends what is left.

The bench holds the only writing end of a pipe to it. The end of that pipe means that the bench has died
(SIGKILL included); the guardian then ends every session named to it, and removes every folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import psutil

from bench.ends import sessions
from settings import patience
from settings.children import PYTHON

COMMAND_S = 10.0
PATIENCE_S = patience.IMMEDIATE_S + patience.MARGIN_S


class Guardian:
    """The bench's end of the pipe. A context manager; at its close the guardian process ends as well."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.ends.guardian"]
        root = Path(__file__).resolve().parents[2]
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
        """End the session of `pid`, beginning with `stop`, should the bench die."""
        try:
            self._tell(watch=pid, born=psutil.Process(pid).create_time(), stop=stop.value)
        except psutil.NoSuchProcess:
            return

    def forget(self, pid: int) -> None:
        """The process was stopped in order."""
        self._tell(forget=pid)

    def wake(self, pid: int) -> None:
        """Let a process that the bench has stopped go on, should the bench die."""
        self._tell(wake=pid)

    def run(self, command: list[str], env: Mapping[str, str]) -> None:
        """Run a command, for some seconds at most, should the bench die: what it did to something that it has not
        started is to be undone.
        """
        self._tell(run=command, env=dict(env))

    def spare(self, command: list[str]) -> None:
        """The bench has undone that itself."""
        self._tell(spare=command)

    def keep_clean(self, folder: Path, *, finishing: str = "") -> None:
        """Remove the folder should the bench die. A program named `finishing` that works there may end by itself."""
        self._tell(folder=str(folder), finishing=finishing)

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
    folders: dict[str, str] = {}
    stopped: list[int] = []
    commands: dict[tuple[str, ...], dict[str, str]] = {}
    for line in orders:
        order = json.loads(line)
        if "watch" in order:
            watched[order["watch"]] = (order["born"], order["stop"])
        elif "forget" in order:
            watched.pop(order["forget"], None)
        elif "wake" in order:
            stopped.append(order["wake"])
        elif "run" in order:
            commands[tuple(order["run"])] = order["env"]
        elif "spare" in order:
            commands.pop(tuple(order["spare"]), None)
        else:
            folders[order["folder"]] = order["finishing"]
    for pid in stopped:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    for command, env in commands.items():
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, env=env, stdin=subprocess.DEVNULL, timeout=COMMAND_S, check=False)
    left = {pid: signal.Signals(stop) for pid, (born, stop) in watched.items() if not _given_again(pid, born)}
    sessions.end(left, PATIENCE_S)
    sessions.await_end(sessions.working_in(map(Path, folders)), set(folders.values()), PATIENCE_S)
    # A child of a server that was killed has neither its session nor its parent: but it works in its folder.
    sessions.kill(sessions.working_in(map(Path, folders)))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _given_again(pid: int, born: float) -> bool:
    """True when the number belongs to another process by now: as long as a session lives, it does not."""
    try:
        return abs(psutil.Process(pid).create_time() - born) >= 0.1
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    main(sys.stdin)
