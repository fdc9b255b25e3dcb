"""The parts of a local system: every power over a service; all but to pause it whole over its Postgres."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from bench.ends import sessions
from bench.platforms.local.workers import replace_workers
from bench.platforms.platform import Kind
from bench.platforms.postgres.cluster import Cluster
from bench.platforms.postgres.disk import SmallDisk
from bench.platforms.processes import Process, Processes, tail

LOG_LINES = 200
AS_THE_RUN: Final[Mapping[str, str]] = {}

Launch = Callable[[bool, Mapping[str, str]], tuple[Process, str]]
"""Starts a service until it is ready, under a holder's name that no other start has: again, with these variables."""


class Service:
    """An API or a projector, which `launch` starts."""

    def __init__(self, kind: Kind, name: str, processes: Processes, launch: Launch) -> None:
        self.kind = kind
        self.name = name
        self._processes = processes
        self._launch = launch
        self._process, self.holder = launch(False, AS_THE_RUN)

    @property
    def pid(self) -> int:
        """Its first process, since its last start."""
        return self._process.pid

    def start(self) -> None:
        """Start it again where it does not run."""
        self.start_with(AS_THE_RUN)

    def start_with(self, settings: Mapping[str, str]) -> None:
        """The same, with other settings than the run's."""
        if not self._process.running:
            self._process, self.holder = self._launch(True, settings)

    def stop(self) -> None:
        """SIGTERM; SIGKILL when its patience is over."""
        self._processes.end(self._process)

    def restart(self) -> None:
        """Stop it in order, then start it."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL to its whole session."""
        self._processes.kill(self._process)

    def pause(self) -> None:
        """SIGSTOP to its whole session."""
        self._process.pause()

    def resume(self) -> None:
        """SIGCONT to its whole session."""
        self._process.resume()

    def logs(self) -> str:
        """The last lines of its log file."""
        return tail(self._process.log, LOG_LINES)


class ServiceOfWorkers(Service):
    """An API of several processes, whose first one replaces the others when it is asked to."""

    def replace(self) -> None:
        """SIGHUP to the first process."""
        replace_workers(self._process)


class Server:
    """A throw-away Postgres server."""

    kind: Kind = "postgres"
    holder = ""

    def __init__(self, cluster: Cluster, log: Path, name: str = "postgres") -> None:
        self.name = name
        self._cluster = cluster
        self._log = log
        self._frozen: dict[int, psutil.Process] = {}
        self._disk: SmallDisk | None = None

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1; the same after a restart."""
        return self._cluster.port

    @property
    def pid(self) -> int:
        """The postmaster, since its last start."""
        return self._cluster.process.pid

    def start(self) -> None:
        """Start it on its data and its port; it recovers first after a crash."""
        self._cluster.start()

    def stop(self) -> None:
        """Fast shutdown: what is under way is broken off."""
        self._cluster.stop()

    def restart(self) -> None:
        """Stop it in order, then start it."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """Immediate shutdown: as a crash for its clients and its data, and its shared memory is given back."""
        self._cluster.crash()

    def freeze(self, pid: int) -> bool:
        """SIGSTOP to one child of the postmaster. Whoever stops the server wakes it, and so does its guardian."""
        with suppress(psutil.Error):
            child = psutil.Process(pid)
            if child.ppid() == self.pid:
                self._frozen[pid] = child
                sessions.freeze(child)
                return True
        return False

    def thaw(self, pid: int) -> None:
        """SIGCONT to it; never to another process that has its number by now."""
        if (child := self._frozen.pop(pid, None)) is not None:
            sessions.wake(child)

    def small_disk(self) -> Path:
        """A tmpfs in the cluster's folder."""
        self._disk = self._disk or self._cluster.small_disk()
        return self._disk.place

    def fill_disk(self) -> None:
        """It is made as small as what it holds."""
        if self._disk is not None:
            self._disk.shrink()

    def empty_disk(self) -> None:
        """It is made as large as it was."""
        if self._disk is not None:
            self._disk.grow()

    def logs(self) -> str:
        """The last lines of its log file."""
        return tail(self._log, LOG_LINES)
