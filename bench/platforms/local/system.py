"""The system as processes of this machine: Postgres, migrations, API and projectors, stopped in reverse order."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.errors import RunFailed, SetupError
from bench.ends.guardian import Guardian
from bench.platforms import http_client, loadgen
from bench.platforms.local.database import migrate, open_database
from bench.platforms.local.parts import Server, Service
from bench.platforms.logins import Logins
from bench.platforms.platform import Leaders, Part, System
from bench.platforms.postgres.cluster import free_port
from bench.platforms.preparation import environment, examined, require_modules
from bench.platforms.processes import Process, Processes, tail
from bench.preflight import description, limits
from bench.preflight.global_order import catch_up
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.raw.moments import SUFFIX
from metrics.records.surroundings import Versions

HOST: Final = "127.0.0.1"
READY_TIMEOUT_S: Final = 60.0


class Local:
    """The platform: it starts the services and keeps them as parts, in the order of their start."""

    name = "local"

    def __init__(
        self, settings: Settings, port: int, logins: Logins, processes: Processes, server: Server | None, log: Path
    ) -> None:
        self.base_url: Final = f"http://{HOST}:{port}"
        self._settings = settings
        self._port = port
        self._logins = logins
        self._processes = processes
        self._log = log
        self._parts: list[Service | Server] = [] if server is None else [server]
        self._generator: Process | None = None

    def parts(self) -> list[Part]:
        """Postgres only where the run has started it."""
        return list(self._parts)

    def leaders(self) -> Leaders:
        """All of them but a given database's are children of this process."""
        generator = {"generator": self._generator.pid} if self._generator else {}
        return Leaders({part.name: part.pid for part in self._parts} | generator)

    def versions(self) -> Versions:
        """Those of the project here."""
        return description.versions(ROOT)

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator on this machine."""
        self._generator = loadgen.start(self._processes, self._settings, self.base_url, folder)
        return self._generator

    def start_api(self) -> None:
        """Start the API; it is ready when this returns."""
        self._parts.append(Service("api", "api", self._processes, lambda _: (self._api(), "")))

    def start_projector(self, name: str) -> None:
        """Start one projector and wait until the API reports it alive."""
        self._parts.append(
            Service("projector", name, self._processes, lambda again: self._projector(name, again=again))
        )

    def _api(self) -> Process:
        told = {"DATABASE_URL": self._logins.api, "API_HOST": HOST, "API_PORT": str(self._port)}
        process = self._processes.start("api", ["-m", "services.api"], {**self._environment(), **told})
        self._processes.wait_until(lambda: http_client.ready(self.base_url), process, READY_TIMEOUT_S)
        return process

    def _projector(self, name: str, *, again: bool) -> tuple[Process, str]:
        holder = f"{name}{'-replacement' if again else ''}-{secrets.token_hex(3)}"
        told = {
            "DATABASE_URL": self._logins.projector,
            "PROJECTOR_NAME": holder,
            "MOMENTS_FILE": str(self._log.resolve() / f"{holder}{SUFFIX}"),
        }
        process = self._processes.start(name, ["-m", "services.projector"], {**self._environment(), **told})
        try:
            self._processes.wait_until(lambda: http_client.at_work(self.base_url, holder), process, READY_TIMEOUT_S)
        except http_client.NotWorking as error:
            if again:
                raise RunFailed(f"{name} was started again, and waits: {error}", tail(process.log)) from None
            raise SetupError(name, f"it waits: {error}", "mend that, or leave out the setting that needs it") from None
        return process, holder

    def _environment(self) -> dict[str, str]:
        return environment(self._settings, BASE_URL=self.base_url)


@contextmanager
def running(settings: Settings, log: Path, progress: Progress) -> Iterator[System]:
    """Start what the settings ask for, and stop it at the end.

    Raises SetupError where the machine or a setting forbids it, RunFailed where a part does not start.
    """
    limits.require(settings)
    require_modules(settings)
    port = _port(settings)
    with ExitStack() as opened:
        database = open_database(settings, log, opened, progress)
        guardian = opened.enter_context(Guardian())
        scratch = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="tidemark-scratch-")))
        guardian.keep_clean(scratch)
        processes = Processes(log, guardian, scratch)
        opened.callback(processes.stop)
        migrate(settings, database.logins, processes, progress)
        doctor = examined(settings, database.logins.owner, progress)
        local = Local(settings, port, database.logins, processes, database.server, log)
        _start(local, settings, progress)
        if settings.mode == "serial" and settings.database_url is not None:
            progress.step("waiting for the global order to be walked to its end")
            catch_up(database.logins.oracle, processes.check)
        yield System(
            platform=local,
            settings=settings,
            base_url=local.base_url,
            logins=database.logins,
            postgres=database.postgres,
            doctor=doctor,
            processes=processes,
            influx=settings.influx,
        )


def _start(local: Local, settings: Settings, progress: Progress) -> None:
    progress.step(f"starting the API on {local.base_url}")
    local.start_api()
    progress.step(f"starting {settings.projectors} projector(s): {settings.strategy}")
    for number in range(1, settings.projectors + 1):
        local.start_projector(f"projector-{number}")


def _port(settings: Settings) -> int:
    if settings.api_port is None:
        return free_port()
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, settings.api_port))
        except OSError as error:
            raise SetupError(
                "API_PORT",
                f"port {settings.api_port} of {HOST} can not be had ({error.strerror})",
                "stop what listens there, or set another port, or none for a free one",
            ) from None
    return settings.api_port
