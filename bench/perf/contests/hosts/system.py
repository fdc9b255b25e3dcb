"""The system over hosts: Postgres, two APIs, two projectors, Locust's master and two workers, each on its own.

All reach a store through a relay on its host, which delays what passes; several stores are the shards of the system.
The APIs share an address, and each client's route leads to one of them, so the workers load both. The bench runs on the
master's host, and finds the system at BASE_URL as it finds any that somebody else has started.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from bench import ROOT
from bench.ends import signals
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.perf.contests.hosts.namespaces import NETWORK, Host, Hosts, hosts
from bench.perf.contests.hosts.stores import READY_S, Store
from bench.platforms.postgres.logins import Logins, addresses
from bench.platforms.postgres.network import Told
from bench.platforms.processes import Process, Processes, tail
from settings.children import PYTHON

MASTER: Final = "master"
APIS: Final = ("api-1", "api-2")
PROJECTORS: Final = ("projector-1", "projector-2")
WORKERS: Final = ("worker-1", "worker-2")
BUT_STORES: Final = (MASTER, *APIS, *PROJECTORS, *WORKERS)
SERVICE: Final = f"{NETWORK}.100"
"""The address that the APIs share."""
CLIENTS: Final = {MASTER: APIS[0], **dict(zip(WORKERS, APIS, strict=True))}
"""Who asks, and the API that its route leads to."""
PORT: Final = 8000
MASTER_PORT: Final = 5557
MIGRATED_S: Final = 120.0
ASKED_S: Final = 60.0
ENDED_S: Final = 300.0


class Placed:
    """The system, ready. `delay` and `seen` are of the relays before the stores; `begin` is one run of the bench."""

    def __init__(
        self, made: Hosts, stores: Sequence[Store], processes: Processes, folder: Path, settings: Mapping[str, str]
    ) -> None:
        self._hosts: Final = made
        self._processes: Final = processes
        self._folder: Final = folder
        self._settings: Final = settings
        self._stores: Final = stores
        self._logins: list[Logins]

    def start(self) -> None:
        """Start all but the load. Raises RunFailed, SetupError."""
        first, *others = [store.start() for store in self._stores]
        logins = Logins.made(first)
        self._logins = [logins, *(Logins.made(url, logins.passwords) for url in others)]
        told = PYTHON.environment({**self.addresses("owner"), **logins.passwords})
        command = ["-m", "migrations", "upgrade", "--roles"]
        self._processes.run("migrations", command, told, MIGRATED_S, program=self._stores[0].host.program)
        for name in APIS:
            self._hosts.also_at(name, SERVICE)
        for name, api in CLIENTS.items():
            self._hosts.route(name, SERVICE, api)
        for name in APIS:
            self._service(name, "api", **self.addresses("api"), API_HOST="0.0.0.0", API_PORT=str(PORT))
        for name in PROJECTORS:
            file = str(self.health(name))
            told = {**self.addresses("projector"), "PROJECTOR_NAME": name, "HEALTH_FILE": file}
            self._service(name, "projector", **told)

    def addresses(self, role: str) -> dict[str, str]:
        """The variable with the addresses of the stores, for one role, as the hosts reach them."""
        return addresses([getattr(logins, role) for logins in self._logins])

    def ask(self, program: str) -> str:
        """What a program in Python prints on the master's host, told the stores as a reader. Raises RunFailed."""
        command = [*self._hosts[MASTER].program, "-c", program]
        try:
            done = ask(command, PYTHON.environment(self.addresses("oracle")), within_s=ASKED_S, cwd=ROOT)
        except NoAnswer as silence:
            raise RunFailed(f"a program on the master's host: {silence}") from None
        if done.returncode != 0:
            raise RunFailed("a program on the master's host failed", done.stderr.strip())
        return done.stdout

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
        """Between everybody and each store, half of it each way. Raises RunFailed."""
        for store in self._stores:
            store.delay(round_trip_ms)

    def seen(self) -> list[Told]:
        """What the relay before each store has counted. Raises RunFailed."""
        return [store.seen() for store in self._stores]

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
            **self.addresses("oracle"),
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

    def _service(self, name: str, module: str, **told: str) -> None:
        env = PYTHON.environment({"LOG_LEVEL": "warning", **self._settings, **told})
        host = self._hosts[name]
        process = self._processes.start(name, ["-m", f"services.{module}"], env, program=host.program)
        ready = (lambda: _answers(host)) if module == "api" else (lambda: self.is_well(name))
        self._processes.wait_until(ready, process, READY_S)


@contextmanager
def placed(log: Path, *, stores: int = 1, **settings: str) -> Iterator[Placed]:
    """The system over hosts of this machine, gone with them at the end of the block; logs are in `log`.

    `stores`: several are its shards. `settings` are told to its services. Raises Unmeasured where no host can be made,
    RunFailed, SetupError.
    """
    with tempfile.TemporaryDirectory(prefix="tidemark-hosts-") as name, Guardian() as guardian:
        folder = Path(name)
        guardian.keep_clean(folder)
        names = [f"store-{number}" for number in range(1, stores + 1)]
        with hosts([*names, *BUT_STORES], guardian) as made:
            processes = Processes(log, guardian)
            try:
                placed_stores = [Store(made[name], folder, processes) for name in names]
                system = Placed(made, placed_stores, processes, folder, settings)
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
