"""The system under test: Postgres, migrations, API and projectors, started in this order and stopped in reverse."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg

from bench.doctor.reading import Doctor, examine
from bench.ends.errors import SetupError
from bench.ends.guardian import Guardian
from bench.machine import description, limits
from bench.oracle.database import ambient, closed, run
from bench.platforms import http_client
from bench.platforms.logins import Logins
from bench.platforms.postgres.cluster import Cluster, free_port
from bench.platforms.processes import ROOT, Process, Processes
from bench.trial import strategies
from bench.trial.global_order import catch_up
from bench.trial.progress import Progress
from bench.trial.settings import Settings
from metrics.target import Target
from settings.addresses import postgres_url
from settings.children import GIVEN_DATABASE, PYTHON
from settings.hiding import hide

HOST: Final = "127.0.0.1"
MIGRATION_TIMEOUT_S: Final = 120.0
READY_TIMEOUT_S: Final = 60.0
CLIENT_ERRORS: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)


class Projector(Protocol):
    """A projector of a running system that a fault can strike. `expendable`: its end is part of the plan."""

    name: str
    holder: str
    expendable: bool

    def kill(self) -> None:
        """End it as a crash would."""
        ...


@dataclass
class Stack:
    """A running system. `processes` is empty for a stack that somebody else runs."""

    settings: Settings
    base_url: str
    logins: Logins
    postgres: dict[str, Any]
    processes: Processes
    projectors: list[Projector]
    doctor: Doctor

    @property
    def database_url(self) -> str:
        """Where the bench itself reads."""
        return self.logins.oracle

    @property
    def influx(self) -> Target | None:
        """The InfluxDB that is told of the run, as it is reached from here."""
        return self.settings.influx

    def start_projector(self, name: str) -> Process:
        """Start one projector and wait until the API reports it alive."""
        holder = f"{name}-{secrets.token_hex(3)}"
        env = {**self.environment(), "DATABASE_URL": self.logins.projector, "PROJECTOR_NAME": holder}
        process = self.processes.start(name, ["-m", "services.projector"], env)
        process.holder = holder
        self.processes.wait_until(lambda: self._alive(holder), process, READY_TIMEOUT_S)
        self.projectors.append(process)
        return process

    def replace(self, victim: Projector) -> None:
        """Start another projector in the place of one that was killed."""
        self.start_projector(f"{victim.name}-replacement")

    def versions(self) -> dict[str, Any]:
        """Python, packages and the project's revision that the system runs."""
        return description.versions(ROOT)

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator, which leaves its files in `folder`."""
        told = {"BASE_URL": self.base_url, "RESULTS_DIR": str(folder), "RUN_ID": folder.name}
        env = PYTHON.environment({**self.settings.environment(), **told})
        return self.processes.start("loadgen", ["-m", "services.loadgen"], env)

    def environment(self) -> dict[str, str]:
        """What the services are given."""
        return environment(self.settings, BASE_URL=self.base_url)

    def _alive(self, holder: str) -> bool:
        stats = http_client.stats(self.base_url)
        return stats is not None and any(p["holder"] == holder and p["alive"] for p in stats["projectors"])


def environment(settings: Settings, **addresses: str) -> dict[str, str]:
    """The environment of the services: the run's settings and addresses, and of this machine's what they need alone.

    A database that the user names is reached in the user's way.
    """
    kind = PYTHON if settings.database_url is None else PYTHON.also(*GIVEN_DATABASE)
    told = settings.environment()
    if settings.database_url is None:
        told.pop("LISTEN_URL", None)
    return kind.environment({**told, **addresses})


@contextmanager
def running_stack(settings: Settings, log: Path, progress: Progress) -> Iterator[Stack]:
    """Start what the settings ask for, or attach to the stack of BASE_URL; stop what was started at the end.

    Raises SetupError where the machine or a setting forbids it, RunFailed where a part does not start.
    """
    limits.require(settings)
    if settings.base_url is not None:
        with Guardian() as guardian:
            attached = _attach(settings, Processes(log, guardian))
            try:
                yield attached
            finally:
                attached.processes.stop()
        return
    port = _port(settings)
    with ExitStack() as stack:
        logins, facts = _database(settings, log, stack, progress)
        guardian = stack.enter_context(Guardian())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidemark-scratch-")))
        guardian.keep_clean(scratch)
        processes = Processes(log, guardian, scratch)
        stack.callback(processes.stop)
        _migrate(settings, logins, processes, progress)
        doctor = examined(settings, logins.owner, progress)
        running = Stack(settings, f"http://{HOST}:{port}", logins, facts, processes, [], doctor)
        _start_api(running, port, progress)
        progress.step(f"starting {settings.projectors} projector(s): {settings.strategy}")
        for number in range(1, settings.projectors + 1):
            running.start_projector(f"projector-{number}")
        if settings.mode == "serial" and settings.database_url is not None:
            progress.step("waiting for the global order to be walked to its end")
            catch_up(logins.oracle, processes.check)
        yield running


def _migrate(settings: Settings, logins: Logins, processes: Processes, progress: Progress) -> None:
    progress.step("migrating")
    env = environment(settings, DATABASE_URL=logins.owner)
    processes.run("migrations", ["-m", "migrations", "upgrade"], env, MIGRATION_TIMEOUT_S)
    if logins.passwords:
        env |= logins.passwords
        processes.run("roles", ["-m", "migrations", "roles"], env, MIGRATION_TIMEOUT_S)


def examined(settings: Settings, url: str, progress: Progress) -> Doctor:
    """Examine the database before anything is measured on it. Raises SetupError where the mode is not sound there."""
    progress.step("examining the database")
    found = examine(environment(settings, DATABASE_URL=url))
    if why := found.why_not(settings.strategy):
        raise SetupError("DATABASE_URL", why, "`task doctor` shows all that it depends on")
    for warning in found.warnings:
        progress.step(f"note: {warning}")
    return found


def watched(settings: Settings, url: str) -> Doctor:
    """The same for a system that somebody else runs, at an address that may be a reader's: nothing is refused."""
    return examine(environment(settings, DATABASE_URL=url), "--reader")


@contextmanager
def prepared(settings: Settings, log: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """The environment in which a database can be examined: that of DATABASE_URL as it is, or a new one, migrated."""
    with ExitStack() as stack:
        if settings.database_url is not None:
            yield environment(settings, DATABASE_URL=settings.database_url)
            return
        logins, _ = _database(settings, log, stack, progress)
        processes = Processes(log, stack.enter_context(Guardian()))
        stack.callback(processes.stop)
        _migrate(settings, logins, processes, progress)
        yield environment(settings, DATABASE_URL=logins.owner)


def _start_api(running: Stack, port: int, progress: Progress) -> None:
    progress.step(f"starting the API on {running.base_url}")
    env = {**running.environment(), "DATABASE_URL": running.logins.api, "API_HOST": HOST, "API_PORT": str(port)}
    api = running.processes.start("api", ["-m", "services.api"], env)
    running.processes.wait_until(lambda: http_client.ready(running.base_url), api, READY_TIMEOUT_S)


def _database(settings: Settings, log: Path, stack: ExitStack, progress: Progress) -> tuple[Logins, dict[str, Any]]:
    if settings.database_url is not None:
        progress.step("connecting to the database of DATABASE_URL")
        for word in postgres_url.parse(settings.database_url).told:
            progress.step(f"note: DATABASE_URL: {word}")
        facts = reach(settings.database_url, source="DATABASE_URL", profile="given")
        return Logins.given(settings.database_url), facts
    progress.step("starting Postgres")
    cluster = stack.enter_context(Cluster.throwaway("durable", log=log / "postgres.log"))
    url = closed(cluster.create_database("tidemark"))
    return Logins.made(url), reach(url, source=cluster.binaries.source, profile=cluster.profile)


def reach(url: str, *, source: str, profile: str) -> dict[str, Any]:
    """Facts about the server at `url`. Raises SetupError when it can not be reached."""
    try:
        return run(description.postgres(url, source=source, profile=profile))
    except (OSError, asyncpg.PostgresError, *CLIENT_ERRORS, TimeoutError, ValueError) as error:
        reason = hide(str(error), url) or type(error).__name__
        acting = f"; {', '.join(names)} of the environment acted" if (names := ambient(url)) else ""
        raise SetupError(
            "DATABASE_URL",
            f"{hide(url, url)} can not be reached ({reason}{acting})",
            "start that server, correct the address, or unset it for an embedded Postgres",
        ) from None


def _port(settings: Settings) -> int:
    if settings.api_port is None:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, settings.api_port))
        except OSError as error:
            raise SetupError(
                "API_PORT",
                f"port {settings.api_port} of {HOST} can not be had ({error.strerror})",
                "stop what listens there, or set another port, or none for a free one",
            ) from None
    return settings.api_port


def _attach(settings: Settings, processes: Processes) -> Stack:
    assert settings.base_url is not None
    assert settings.database_url is not None
    facts = reach(settings.database_url, source="DATABASE_URL", profile="given")
    doctor = watched(settings, settings.database_url)
    stats: Mapping[str, Any] | None = http_client.stats(settings.base_url)
    if stats is None:
        raise SetupError(
            "BASE_URL",
            f"{hide(settings.base_url, settings.base_url)} gives no statistics at /stats",
            "start that stack, correct the address, or unset it so that one is started",
        )
    if stats["serialProjection"] != (settings.mode == "serial"):
        found = "serial" if stats["serialProjection"] else "parallel"
        raise SetupError("BASE_URL", f"that stack runs in {found} mode", f"run the bench with --mode {found}")
    if others := strategies.others(settings.strategy, stats["strategies"]):
        raise SetupError("BASE_URL", others, "set STRATEGY to what they work by, the same for all of them")
    return Stack(
        settings.without_observation(),
        settings.base_url,
        Logins.given(settings.database_url),
        facts,
        processes,
        [],
        doctor,
    )
