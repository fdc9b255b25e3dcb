"""The processes of a run: each with its log file, waited for, watched, and stopped in reverse order."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from bench import ROOT
from bench.ends import sessions, signals
from bench.ends.errors import RunFailed, SetupError
from bench.ends.guardian import Guardian
from settings import patience

POLL_S: Final = 0.05
BAD_SETTING: Final = 2


@dataclass(eq=False)
class Process:
    """A started process and its log. `expendable`: its end is part of the plan and no failure of the run.

    `refuses`: exit code 2 is its word for a setting that it refuses, as it is of our own.
    """

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    expendable: bool = False
    refuses: bool = True
    _frozen: list[psutil.Process] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Also the id of its process group and of its session."""
        return self.popen.pid

    @property
    def running(self) -> bool:
        """True until the process has ended."""
        return self.popen.poll() is None

    def pause(self) -> None:
        """SIGSTOP to all of its session, and to whoever joined it meanwhile; to itself at once."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGSTOP)
        while new := [member for member in sessions.members([self.pid]) if member not in self._frozen]:
            for member in new:
                sessions.freeze(member)
            self._frozen += new

    def resume(self) -> None:
        """SIGCONT to all that was stopped: at once, without a look at what else runs on the machine."""
        while self._frozen:
            sessions.wake(self._frozen.pop())

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
        refuses: bool = True,
    ) -> Process:
        """Start `python <command>` in a process group of its own, by default from the project's root, logging to
        `<name>.log`.

        `program` stands in for Python.
        """
        signals.check()
        path = self._log / f"{name}.log"
        with signals.held():
            launched = self._launch(name, [*program, *command], env, path, cwd)
            process = Process(name, launched, path, refuses=refuses)
            self.all.append(process)
            self._guardian.watch(process.pid)
        return process

    def _launch(
        self, name: str, line: list[str], env: Mapping[str, str], log: Path, cwd: Path
    ) -> subprocess.Popen[bytes]:
        try:
            with log.open("ab") as stream:
                return subprocess.Popen(
                    line,
                    cwd=cwd,
                    env={**env, **self._scratch},
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    start_new_session=True,
                )
        except OSError as error:
            remedy = "; raise `ulimit -u`, or end other processes" if error.errno == errno.EAGAIN else ""
            raise RunFailed(f"{name} could not be started: {error.strerror}{remedy}") from error

    def run(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        timeout: float,
        *,
        program: Sequence[str] = (sys.executable,),
        cwd: Path = ROOT,
        refuses: bool = True,
    ) -> None:
        """Start a process and wait for its good end. Raises RunFailed, SetupError for a setting that it refuses."""
        process = self.start(name, command, env, program=program, cwd=cwd, refuses=refuses)
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
            signals.check()
            if not process.running:
                raise _failure(process)
            if time.monotonic() > deadline:
                raise RunFailed(f"{process.name} was not ready within {timeout:g} s", tail(process.log))
            time.sleep(POLL_S)

    def check(self) -> None:
        """Raise RunFailed, with the tail of its log, if any process ended that should run; Interrupted."""
        signals.check()
        for process in self.all:
            if not process.expendable and not process.running:
                raise process.ended_badly()

    def end(self, process: Process) -> None:
        """SIGTERM to one of them, and SIGKILL when its patience is over. Nothing of its session is left then."""
        with signals.held():
            _end([process])
            self._forget(process)

    def kill(self, process: Process) -> None:
        """SIGKILL to all of one's session: a crash."""
        with signals.held():
            sessions.end({process.pid: signal.SIGKILL}, 0)
            process.popen.wait()
            self._forget(process)

    def _forget(self, process: Process) -> None:
        if process in self.all:
            self.all.remove(process)
        self._guardian.forget(process.pid)

    def stop(self) -> None:
        """Stop all at once, so that the longest patience is that of all. No signal breaks it off."""
        with signals.held():
            _end(self.all)
            while self.all:
                self._forget(self.all[-1])
            if self._scratch:
                # Who made a session of its own, and whose parents are gone, is known by what it was told.
                sessions.kill(sessions.told(self._scratch))


def _end(processes: Sequence[Process]) -> None:
    sessions.end({process.pid: signal.SIGTERM for process in processes}, patience.PROCESSES_S)
    for process in processes:
        process.popen.wait()


def _failure(process: Process) -> RunFailed | SetupError:
    line = tail(process.log, 1)
    if process.refuses and process.popen.returncode == BAD_SETTING and line:
        return SetupError(process.name, line, "correct that setting")
    return process.ended_badly()


def describe(code: int | None) -> str:
    """An exit code in words."""
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file, empty if there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
