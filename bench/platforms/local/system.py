"""A target as processes of this machine: server, migration, API and projectors, stopped in reverse order."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.errors import RunFailed, SetupError
from bench.ends.guardian import Guardian
from bench.platforms import http_client
from bench.platforms.local.database import Database, open_database
from bench.platforms.local.kind import Kind as Own
from bench.platforms.local.kind import Others, Ours, Table
from bench.platforms.local.parts import Server, Service, ServiceOfWorkers
from bench.platforms.local.relay import Relay
from bench.platforms.platform import Leaders, Part, System
from bench.platforms.postgres.cluster import free_port
from bench.platforms.postgres.logins import addresses
from bench.platforms.preparation import start_loadgen
from bench.platforms.processes import Process, Processes, tail
from bench.platforms.targets import folder
from bench.platforms.targets.processes import HOST, Address, Line, Lines
from bench.platforms.targets.versions import versions_of
from bench.preflight import description, limits
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Versions

READY_TIMEOUT_S: Final = 60.0
MIGRATION_TIMEOUT_S: Final = 120.0


class Local:
    """The platform: it starts the processes of a target and keeps them as parts, in the order of their start."""

    name = "local"

    def __init__(
        self,
        settings: Settings,
        base_url: str,
        lines: Lines,
        own: Own,
        processes: Processes,
        servers: Sequence[Server],
        relay: Relay | None,
    ) -> None:
        self.base_url: Final = base_url
        self._settings = settings
        self._lines = lines
        self._own = own
        self._processes = processes
        self._relay = relay
        self._parts: list[Service | Server] = [*servers]
        self._generator: Process | None = None

    def parts(self) -> list[Part]:
        """Postgres only where the run has started it, and the network before it only through a relay."""
        return [*self._parts, *([] if self._relay is None else [self._relay])]

    def leaders(self) -> Leaders:
        """All of them but a given database's are children of this process."""
        generator = {"generator": self._generator.pid} if self._generator else {}
        return Leaders({part.name: part.pid for part in self._parts} | generator)

    def versions(self) -> Versions:
        """Those of the project here, and of the target."""
        return {**description.versions(ROOT), "target": versions_of(self._settings.target)}

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator on this machine."""
        self._generator = start_loadgen(self._processes, self._settings, self.base_url, folder)
        return self._generator

    def migrate(self) -> None:
        """Run what the target does once before its processes start. Raises RunFailed, SetupError."""
        if (step := self._settings.target.migrate) is not None:
            base = {**self._own.environment(), **self._shards("migrate")}
            line = self._lines.of(step, base, name="migrate", database=self._own.address("migrate"))
            arguments, variables = self._own.migrating()
            self._processes.run(
                "migrations",
                [*line.command, *arguments],
                {**line.environment, **variables},
                MIGRATION_TIMEOUT_S,
                program=(),
                cwd=line.cwd,
                refuses=self._settings.target.ours,
            )

    def start_api(self) -> None:
        """Start the API; it is ready when this returns."""
        several = self._settings.target.ours and self._settings.api_processes > 1
        part = ServiceOfWorkers if several else Service
        self._parts.append(part("api", "api", self._processes, lambda _, changed: (self._api(changed), "")))

    def start_projector(self, number: int) -> None:
        """Start one projector and wait until it is at work, as far as the target tells."""
        name = f"projector-{number}"

        def launch(again: bool, changed: Mapping[str, str]) -> tuple[Process, str]:
            return self._projector(name, number, changed, again=again)

        self._parts.append(Service("projector", name, self._processes, launch))

    def _api(self, changed: Mapping[str, str]) -> Process:
        step = self._settings.target.api
        base = {**self._own.environment(), **self._shards("api"), **changed}
        line = self._lines.of(step, base, name="api", database=self._address("api"))
        process = self._start("api", line)
        self._processes.wait_until(lambda: http_client.ready(self.base_url), process, READY_TIMEOUT_S)
        return process

    def _projector(self, name: str, number: int, changed: Mapping[str, str], *, again: bool) -> tuple[Process, str]:
        step = self._settings.target.projector
        assert step is not None
        holder = f"{name}{'-replacement' if again else ''}-{secrets.token_hex(3)}"
        base = {
            **self._own.environment(),
            **self._shards("projector"),
            **self._own.of_projector(holder),
            **changed,
        }
        line = self._lines.of(step, base, name=holder, number=number, database=self._address("projector"))
        process = self._start(name, line)
        if self._settings.target.offers("leases"):
            self._await_work(process, name, holder, again=again)
        return process, holder

    def _address(self, table: Table) -> str | None:
        """Where a service finds its database, the first of several shards."""
        direct = self._own.address(table)
        if direct is None or self._relay is None or self._own.of_shards(table):
            return direct
        return self._relay.address(direct)

    def _shards(self, table: Table) -> dict[str, str]:
        """What a process is told of several shards: the way of a service to the last leads through the relay."""
        urls = list(self._own.of_shards(table))
        if urls and self._relay is not None and table != "migrate":
            urls[-1] = self._relay.address(urls[-1])
        return addresses(urls) if urls else {}

    def _await_work(self, process: Process, name: str, holder: str, *, again: bool) -> None:
        try:
            self._processes.wait_until(lambda: http_client.at_work(self.base_url, holder), process, READY_TIMEOUT_S)
        except http_client.NotWorking as error:
            if again:
                raise RunFailed(f"{name} was started again, and waits: {error}", tail(process.log)) from None
            raise SetupError(name, f"it waits: {error}", "mend that, or leave out the setting that needs it") from None

    def _start(self, name: str, line: Line) -> Process:
        return self._processes.start(
            name, line.command, line.environment, program=(), cwd=line.cwd, refuses=self._settings.target.ours
        )


@contextmanager
def running(settings: Settings, log: Path, progress: Progress, *, relayed: bool = False) -> Iterator[System]:
    """Start what the settings ask for, and stop it at the end.

    `relayed`: with a relay between its services and a Postgres of the run's own.
    Raises SetupError where the machine or a setting forbids it, RunFailed where a part does not start.
    """
    limits.require(settings)
    place = folder.opened(settings.target)
    own: Own = Ours(settings, log) if settings.target.ours else Others(settings)
    own.require()
    for note in settings.notes:
        progress.step(f"note: {note}")
    address = Address(HOST, _port(settings))
    with ExitStack() as opened:
        database = open_database(settings, log, opened, progress)
        guardian = opened.enter_context(Guardian())
        scratch = _private(opened, guardian, "tidemark-scratch-")
        data = _private(opened, guardian, "tidemark-data-")
        processes = Processes(log, guardian, scratch)
        opened.callback(processes.stop)
        own.reached(database, processes)
        lines = Lines(settings, place, address, data)
        servers = database.servers if database else []
        # Of several shards before the last, which is the one that is struck.
        relay = Relay(servers[-1].port, processes, scratch, settings.seed) if relayed and servers else None
        local = Local(settings, address.base_url, lines, own, processes, servers, relay)
        _start(local, own, settings, progress)
        yield _system(local, own, settings, database, processes)


def _system(local: Local, own: Own, settings: Settings, database: Database | None, processes: Processes) -> System:
    return System(
        platform=local,
        settings=settings,
        base_url=local.base_url,
        logins=database.logins if database else None,
        postgres=database.postgres if database else None,
        doctor=own.doctor,
        processes=processes,
        influx=settings.influx,
        has_store=settings.target.ours,
        further=tuple(one.logins for one in database.further) if database else (),
    )


def _start(local: Local, own: Own, settings: Settings, progress: Progress) -> None:
    target = settings.target
    if target.migrate is not None:
        progress.step("migrating")
        local.migrate()
    own.migrated(progress)
    progress.step(f"starting the API on {local.base_url}")
    local.start_api()
    if settings.projectors:
        progress.step(f"starting {settings.projectors} projector(s): {own.told}")
    for number in range(1, settings.projectors + 1):
        local.start_projector(number)
    own.started(progress)


def _private(opened: ExitStack, guardian: Guardian, prefix: str) -> Path:
    """A folder of the run's own, gone at its end and if this process is killed."""
    made = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
    guardian.keep_clean(made)
    return made


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
