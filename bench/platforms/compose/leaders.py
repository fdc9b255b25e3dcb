"""Processes of the stack's containers on this machine: each container's first one, by Docker's number of it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from bench.ends.errors import SetupError
from bench.platforms.compose.compose import Compose, Container
from bench.platforms.platform import Leaders

PROC: Final = Path("/proc")
AGAIN_S: Final = 5.0
"""Docker is asked again after so long, where a container's process has ended or is not there yet."""
KEEPERS: Final = ("containerd-shim", "conmon")
"""Parents of a container's first process; below them are its health checks, too."""
ELSEWHERE: Final = "the containers' processes are not seen from here: Docker has a machine of its own"
SILENT: Final = "Docker did not tell which processes are the containers'"
GENERATOR: Final = {"loadgen": "generator"}


class ContainerLeaders:
    """Looks for them again where one has ended; between two looks a call costs a look at each number."""

    def __init__(self, compose: Compose, proc: Path = PROC) -> None:
        self._compose, self._proc = compose, proc
        self._found: dict[str, int] = {}
        self._looked = -AGAIN_S
        self._reason = SILENT

    def now(self) -> Leaders:
        """Those that live now, as far as it is known."""
        gone = [name for name, pid in self._found.items() if not psutil.pid_exists(pid)]
        if (gone or "generator" not in self._found) and time.monotonic() - self._looked >= AGAIN_S:
            self._looked = time.monotonic()
            with suppress(SetupError, OSError):
                self._look()
        return Leaders(dict(self._found), self._reason)

    def _look(self) -> None:
        running = {one.id: one for one in self._compose.containers() if one.state == "running"}
        told = self._compose.docker("inspect", "--format", "{{.Id}} {{.State.Pid}}", *running)
        found = {}
        for line in told.splitlines():
            identity, _, pid = line.partition(" ")
            container = next((one for short, one in running.items() if identity.startswith(short)), None)
            if container is not None and self._is_of(int(pid), identity):
                found[named(container)] = keeper(int(pid))
        self._found = found
        self._reason = "" if found else ELSEWHERE

    def _is_of(self, pid: int, container: str) -> bool:
        """Docker's number of a process is of this machine only where that process says so itself."""
        try:
            return container in (self._proc / str(pid) / "cgroup").read_text(encoding="utf-8")
        except OSError:
            return False


def named(container: Container) -> str:
    """A part's name: of its service, with its number where there may be more than one."""
    number = container.name.rpartition("-")[2]
    service = GENERATOR.get(container.service, container.service)
    return f"{service}-{number}" if number.isdigit() and service in ("api", "projector", "loadgen-worker") else service


def keeper(pid: int) -> int:
    """Whoever keeps a container alive, else its first process."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid).parent()
        if parent is not None and parent.name().startswith(KEEPERS):
            return parent.pid
    return pid
