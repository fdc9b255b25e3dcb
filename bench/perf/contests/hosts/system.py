"""The system over hosts: Postgres, two APIs, two projectors, Locust's master and two workers, each on its own.

All reach the store through a relay on its host, which delays what passes. The APIs share an address, and each client's
route leads to one of them, so the workers load both. The bench runs on the master's host, and finds the system at
BASE_URL as it finds any that somebody else has started.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from bench.ends import signals
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.perf.contests.hosts.namespaces import NETWORK, Host, Hosts, hosts
from bench.platforms.postgres.logins import Logins
from bench.platforms.postgres.network import Control, Network, Order, Told, Way, at_port
from bench.platforms.processes import Process, Processes, tail
from settings.children import PYTHON

STORE: Final = "store"
MASTER: Final = "master"
APIS: Final = ("api-1", "api-2")
PROJECTORS: Final = ("projector-1", "projector-2")
WORKERS: Final = ("worker-1", "worker-2")
NAMES: Final = (STORE, MASTER, *APIS, *PROJECTORS, *WORKERS)
SERVICE: Final = f"{NETWORK}.100"
"""The address that the APIs share."""
CLIENTS: Final = {MASTER: APIS[0], **dict(zip(WORKERS, APIS, strict=True))}
"""Who asks, and the API that its route leads to."""
PORT: Final = 8000
MASTER_PORT: Final = 5557
READY_S: Final = 120.0
MIGRATED_S: Final = 120.0
ENDED_S: Final = 300.0


class Placed:
    """The system, ready. `delay` and `seen` are of the relay before the store; `run` is one run of the bench."""

    def __init__(self, made: Hosts, processes: Processes, folder: Path, settings: Mapping[str, str]) -> None:
        self._hosts: Final = made
        self._processes: Final = processes
        self._folder: Final = folder
        self._settings: Final = settings
        self._control: Final = Control(folder / "relay")
        self._logins: Logins
        self._port: int

    def start(self) -> None:
        """Start all but the load. Raises RunFailed, SetupError."""
        direct = self._start_store()
        self._start_relay(direct)
        self._logins = Logins.made(direct)
        told = PYTHON.environment({"DATABASE_URL": self._logins.owner, **self._logins.passwords})
        command = ["-m", "migrations", "upgrade", "--roles"]
        self._processes.run("migrations", command, told, MIGRATED_S, program=self._hosts[STORE].program)
        for name in APIS:
            self._hosts.also_at(name, SERVICE)
        for name, api in CLIENTS.items():
            self._hosts.route(name, SERVICE, api)
        for name in APIS:
            self._service(name, "api", DATABASE_URL=self._logins.api, API_HOST="0.0.0.0", API_PORT=str(PORT))
        for name in PROJECTORS:
            file = str(self.health(name))
            self._service(name, "projector", DATABASE_URL=self._logins.projector, PROJECTOR_NAME=name, HEALTH_FILE=file)

    def health(self, projector: str) -> Path:
        """Where a projector says how it is."""
        return self._folder / f"{projector}.json"

    def is_well(self, projector: str) -> bool:
        """Whether a projector says that it is ready."""
        try:
            return bool(json.loads(self.health(projector).read_text(encoding="utf-8"))["why_not"] == "")
        except (OSError, ValueError, KeyError):
            return False

    def delay(self, round_trip_ms: float) -> None:
        """Between everybody and the store, half of it each way. Raises RunFailed."""
        way = Way(latency_ms=round_trip_ms / 2)
        self._control.tell(Order(network=Network(up=way, down=way)))

    def seen(self) -> Told:
        """What the relay has counted. Raises RunFailed."""
        return self._control.tell(Order())

    def received(self, name: str) -> int:
        """Bytes that came to a host over its cable. Raises RunFailed."""
        return self._hosts.received(name)

    @contextmanager
    def cut(self, name: str) -> Iterator[None]:
        """The host's cable is down within the block."""
        self._hosts.cut(name)
        try:
            yield
        finally:
            self._hosts.mend(name)

    def begin(self, results: Path, **settings: str) -> Run:
        """Start the workers, and a run of the bench on the master's host."""
        master = self._hosts[MASTER].address
        for name in WORKERS:
            told = PYTHON.environment({"LOADGEN_MASTER": f"{master}:{MASTER_PORT}"})
            command = ["-m", "services.loadgen.worker"]
            worker = self._processes.start(name, command, told, program=self._hosts[name].program)
            worker.expendable = True
        told = {
            "BASE_URL": f"http://{SERVICE}:{PORT}",
            "DATABASE_URL": self._by_relay(self._logins.oracle),
            "LOADGEN_WORKERS": str(len(WORKERS)),
            "LOADGEN_LISTEN": f"{master}:{MASTER_PORT}",
            "HOLD": "0",
            **settings,
        }
        command = ["-m", "bench", "run", "throughput", "--mode", "parallel", "--results", str(results)]
        program = self._hosts[MASTER].program
        process = self._processes.start("bench", command, PYTHON.environment(told), program=program)
        process.expendable = True
        return Run(process, results, self._processes)

    def _start_store(self) -> str:
        file = self._folder / "store"
        command = ["-m", "bench.perf.programs.store", str(file)]
        process = self._processes.start(
            STORE, command, PYTHON.environment(), program=self._hosts[STORE].program, refuses=False
        )
        self._processes.wait_until(file.exists, process, READY_S)
        return file.read_text(encoding="utf-8")

    def _start_relay(self, direct: str) -> None:
        host = self._hosts[STORE]
        place = direct.rpartition("@")[2].partition("/")[0]
        command = ["-m", "bench.faults.relay", place, str(self._folder / "relay"), "--listen", host.address]
        process = self._processes.start("relay", command, PYTHON.environment(), program=host.program, refuses=False)
        self._processes.wait_until(self._relay_answers, process, READY_S)
        self._port = self.seen().port

    def _relay_answers(self) -> bool:
        with suppress(RunFailed):
            self.seen()
            return True
        return False

    def _service(self, name: str, module: str, **told: str) -> None:
        told["DATABASE_URL"] = self._by_relay(told["DATABASE_URL"])
        env = PYTHON.environment({"LOG_LEVEL": "warning", **self._settings, **told})
        host = self._hosts[name]
        process = self._processes.start(name, ["-m", f"services.{module}"], env, program=host.program)
        ready = (lambda: _answers(host)) if module == "api" else (lambda: self.is_well(name))
        self._processes.wait_until(ready, process, READY_S)

    def _by_relay(self, direct: str) -> str:
        return at_port(direct, self._port, self._hosts[STORE].address)


@contextmanager
def placed(log: Path, **settings: str) -> Iterator[Placed]:
    """The system over hosts of this machine, gone with them at the end of the block; logs are in `log`.

    `settings` are told to its services. Raises Unmeasured where no host can be made, RunFailed, SetupError.
    """
    with tempfile.TemporaryDirectory(prefix="tidemark-hosts-") as name, Guardian() as guardian:
        folder = Path(name)
        guardian.keep_clean(folder)
        with hosts(NAMES, guardian) as made:
            processes = Processes(log, guardian)
            try:
                system = Placed(made, processes, folder, settings)
                system.start()
                yield system
            finally:
                processes.stop()


class Run:
    """One run of the bench, under way."""

    def __init__(self, process: Process, results: Path, processes: Processes) -> None:
        self._process: Final = process
        self._results: Final = results
        self._processes: Final = processes

    def wait_until_loaded(self) -> None:
        """Until a second of the load phase has been sampled. Raises RunFailed where it ends before."""
        self._processes.wait_until(self._loaded, self._process, READY_S)

    def result(self) -> Mapping[str, Any]:
        """`result.json`, once it has ended. Raises RunFailed."""
        deadline = time.monotonic() + ENDED_S
        while self._process.running:
            signals.check()
            if time.monotonic() > deadline:
                raise RunFailed(f"the run did not end within {ENDED_S:g} s", tail(self._process.log))
            with suppress(subprocess.TimeoutExpired):
                self._process.popen.wait(0.2)
        if self._process.popen.returncode != 0:
            raise self._process.ended_badly()
        (file,) = self._results.glob("*-throughput-*/result.json")
        document: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return document

    def _loaded(self) -> bool:
        return any('"phase": "load"' in file.read_text() for file in self._results.glob("*/samples.jsonl"))


def _answers(host: Host) -> bool:
    """Whether the API there is ready, asked on its own host."""
    command = [*host.program, "-m", "services.health", f"http://127.0.0.1:{PORT}/readyz"]
    try:
        return ask(command, PYTHON.environment()).returncode == 0
    except NoAnswer:
        return False
