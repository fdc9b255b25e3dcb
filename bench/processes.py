"""The processes of a run: each with its log file, waited for, watched, and stopped in reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import RunFailed, SetupError
from bench.guardian import Guardian
from bench.postgres import tail

ROOT: Final = Path(__file__).resolve().parent.parent
POLL_S: Final = 0.05
STOP_TIMEOUT_S: Final = 15.0
BAD_SETTING: Final = 2


@dataclass
class Process:
    """A started process and its log. `expendable`: its end is part of the plan and no failure of the run.

    `holder` is the name under which a projector holds leases.
    """

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    expendable: bool = False
    holder: str = ""

    @property
    def pid(self) -> int:
        """Also the id of its process group."""
        return self.popen.pid

    @property
    def running(self) -> bool:
        """True until the process has ended."""
        return self.popen.poll() is None

    def kill(self) -> None:
        """SIGKILL to the whole group: a crash."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self, timeout: float = STOP_TIMEOUT_S) -> None:
        """SIGTERM, and after `timeout` seconds SIGKILL. Nothing of the group is left when this returns."""
        if self.running:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(timeout)
        self.kill()

    def ended_badly(self) -> RunFailed:
        """The failure to report when this process ended by itself."""
        return RunFailed(f"{self.name} ended with {describe(self.popen.returncode)}", tail(self.log))


class Processes:
    """The running processes in the order of their start.

    Their temporary files go to `scratch`, for one that is killed can not remove its own.
    """

    def __init__(self, log: Path, guardian: Guardian, scratch: Path | None = None) -> None:
        self._log = log
        self._guardian = guardian
        self._scratch = {} if scratch is None else {"TMPDIR": str(scratch)}
        self.all: list[Process] = []

    def start(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        *,
        program: Sequence[str] = (sys.executable,),
        cwd: Path = ROOT,
    ) -> Process:
        """Start `python <command>` in a process group of its own, by default from the project's root, logging to
        `<name>.log`.

        `program` stands in for Python.
        """
        path = self._log / f"{name}.log"
        with path.open("ab") as stream:
            popen = subprocess.Popen(
                [*program, *command],
                cwd=cwd,
                env={**env, **self._scratch},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self._guardian.watch(popen.pid)
        process = Process(name, popen, path)
        self.all.append(process)
        return process

    def run(self, name: str, command: list[str], env: Mapping[str, str], timeout: float) -> None:
        """Start a process and wait for its good end. Raises RunFailed, SetupError for a setting that it refuses."""
        process = self.start(name, command, env)
        try:
            code = process.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"{name} did not end within {timeout:g} s", tail(process.log)) from None
        self.all.remove(process)
        if code != 0:
            raise _failure(process)

    def wait_until(self, ready: Callable[[], bool], process: Process, timeout: float) -> None:
        """Wait for a condition on a starting process. Raises RunFailed when it ends or takes too long, SetupError."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not process.running:
                raise _failure(process)
            if time.monotonic() > deadline:
                raise RunFailed(f"{process.name} was not ready within {timeout:g} s", tail(process.log))
            time.sleep(POLL_S)

    def check(self) -> None:
        """Raise RunFailed, with the tail of its log, if any process ended that should run."""
        for process in self.all:
            if not process.expendable and not process.running:
                raise process.ended_badly()

    def stop(self) -> None:
        """Stop all in reverse order. Ctrl-C and SIGTERM wait until this is done."""
        with unhurried():
            while self.all:
                process = self.all.pop()
                process.stop()
                self._guardian.forget(process.pid)


def _failure(process: Process) -> RunFailed | SetupError:
    line = tail(process.log, 1)
    if process.popen.returncode == BAD_SETTING and line:
        return SetupError(process.name, line, "correct that setting")
    return process.ended_badly()


def describe(code: int | None) -> str:
    """An exit code in words."""
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


@contextmanager
def unhurried() -> Iterator[None]:
    """Put off SIGINT and SIGTERM until the end of the block."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
