"""Where a row is measured: a throw-away Postgres with default settings, fresh databases, and processes.

Everything is measured from outside: services, programs and peers are processes, each told its database by DATABASE_URL.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil

from bench import ROOT
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.oracle.database import closed, connect, run
from bench.platforms import http_client
from bench.platforms.postgres.cluster import Cluster, free_port
from bench.platforms.processes import Process, Processes, describe
from settings.children import PYTHON

TEMPLATE: Final = "migrated"
READY_TIMEOUT_S: Final = 60.0
LONGEST_S: Final = 1800.0
HOST: Final = "127.0.0.1"
LOOK_S: Final = 0.05


@dataclass
class Lab:
    """One row's cluster and processes. `quick` makes everything small: it shows that a row works, and no more."""

    cluster: Cluster
    processes: Processes
    log: Path
    quick: bool = False
    full: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def seconds(self, normal: float) -> float:
        """How long to measure."""
        return min(normal, 1.0) if self.quick else normal

    def size(self, normal: int) -> int:
        """How much to measure with."""
        return max(1, normal // 100) if self.quick else normal

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """A fresh database, migrated, or a copy of another; dropped at the end of the block."""
        name = f"perf_{next(self._numbers)}"
        url = closed(self.cluster.create_database(name, template))
        try:
            yield url
        finally:
            self.cluster.drop_database(name)

    @contextmanager
    def bare_database(self) -> Iterator[str]:
        """A fresh, empty database, for peers that bring their own schema."""
        with self.database("template0") as url:
            yield url

    def sql(self, url: str, *statements: str) -> list[asyncpg.Record]:
        """Run statements one after another, each in its own transaction; the rows of the last one."""
        return run(_sql(url, statements))

    def value(self, url: str, statement: str) -> Any:
        """The first column of the first row."""
        return self.sql(url, statement)[0][0]

    def settle(self, url: str) -> None:
        """Bring statistics and checkpoint behind us, so that no side pays for what was prepared before it."""
        self.sql(url, "ANALYZE", "CHECKPOINT")

    def program(self, module: str, *arguments: str, url: str, **variables: str) -> dict[str, Any]:
        """Run `python -m bench.perf.programs.<module>` to its end; its last line is a JSON document."""
        command = [sys.executable, "-m", f"bench.perf.programs.{module}", *arguments]
        return self.command(command, {"DATABASE_URL": url, **variables})

    def command(self, command: list[str], variables: Mapping[str, str], *, cwd: Path = ROOT) -> dict[str, Any]:
        """Run any program to its end; its last line is a JSON document. Raises RunFailed."""
        done = subprocess.run(
            command,
            cwd=cwd,
            env=PYTHON.environment(variables),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=LONGEST_S,
            stdin=subprocess.DEVNULL,
        )
        what = " ".join(command[1:4])
        if done.returncode != 0:
            raise RunFailed(f"{what} ended with {describe(done.returncode)}", done.stderr[-2000:])
        try:
            document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise RunFailed(f"{what} printed no result", done.stdout[-2000:]) from None
        return document

    def run(self, name: str, command: list[str], url: str, **variables: str) -> None:
        """Run one of our services or its commands to its end."""
        self.processes.run(name, command, self._env(url, **variables), LONGEST_S)

    def peak(self, name: str, command: list[str], url: str, **variables: str) -> float:
        """The same; returns the largest resident set that it was seen with, in MB. Raises RunFailed."""
        process = self.processes.start(name, command, self._env(url, **variables))
        most, deadline = 0.0, time.monotonic() + LONGEST_S
        while process.running and time.monotonic() < deadline:
            with suppress(psutil.Error):
                most = max(most, psutil.Process(process.pid).memory_info().rss / 1e6)
            time.sleep(LOOK_S)
        code = process.popen.poll()
        self.processes.end(process)
        if code != 0:
            raise process.ended_badly()
        return most

    def projector(self, url: str, name: str = "projector", **variables: str) -> Process:
        """Start a projector; it is registered when this returns."""
        process = self.processes.start(
            name, ["-m", "services.projector"], self._env(url, PROJECTOR_NAME=name, **variables)
        )
        alive = f"SELECT EXISTS (SELECT FROM projectors WHERE holder = '{name}' AND alive_until > clock_timestamp())"
        self.processes.wait_until(lambda: bool(self.value(url, alive)), process, READY_TIMEOUT_S)
        return process

    def api(self, url: str, **variables: str) -> tuple[Process, str]:
        """Start the API; ready when this returns. Returns the process and its base URL."""
        return self._server("api", ["-m", "services.api"], url, "/readyz", **variables)

    def empty_api(self, todos: int = 0) -> tuple[Process, str]:
        """Start the server of the same routes over a dictionary, with so many todos in it."""
        return self._server("empty", ["-m", "targets.empty.api"], "", "/readyz", EMPTY_TODOS=str(todos))

    def stop(self, process: Process) -> None:
        """Stop one process before the end of the lab."""
        self.processes.end(process)

    def _server(self, name: str, command: list[str], url: str, ready: str, **variables: str) -> tuple[Process, str]:
        port = free_port()
        process = self.processes.start(name, command, self._env(url, API_HOST=HOST, API_PORT=str(port), **variables))
        base = f"http://{HOST}:{port}"
        self.processes.wait_until(lambda: http_client.ready(base), process, READY_TIMEOUT_S)
        return process, base

    @staticmethod
    def _env(url: str, **variables: str) -> dict[str, str]:
        return PYTHON.environment({"LOG_LEVEL": "warning", "DATABASE_URL": url, **variables})


async def _sql(url: str, statements: tuple[str, ...]) -> list[asyncpg.Record]:
    connection = await connect(url)
    rows: list[asyncpg.Record] = []
    try:
        for statement in statements:
            rows = await connection.fetch(statement)
    finally:
        await connection.close()
    return rows


@contextmanager
def laboratory(
    log: Path, *, settings: Mapping[str, str] | None = None, quick: bool = False, full: bool = False
) -> Iterator[Lab]:
    """A lab with its own cluster, gone with all its processes at the end of the block."""
    log.mkdir(parents=True, exist_ok=True)
    with Cluster.throwaway("durable", settings=settings, log=log / "postgres.log") as cluster, Guardian() as guardian:
        processes = Processes(log, guardian)
        lab = Lab(cluster, processes, log, quick, full)
        try:
            lab.run("migrations", ["-m", "migrations", "upgrade"], closed(cluster.create_database(TEMPLATE)))
            yield lab
        finally:
            processes.stop()
