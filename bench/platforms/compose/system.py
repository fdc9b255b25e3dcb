"""A run in the stack: the projectors are set as it wants them, the load generator runs once, and nothing is stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.guardian import Guardian
from bench.platforms import http_client
from bench.platforms.compose.addresses import STORES, Addresses, pooled
from bench.platforms.compose.compose import ALL_PROFILES, Compose
from bench.platforms.compose.leaders import ContainerLeaders
from bench.platforms.compose.observers import target, troubles
from bench.platforms.compose.parts import ContainerPart
from bench.platforms.compose.up import DIRTY, add, start, told
from bench.platforms.platform import Kind, Leaders, Part, System
from bench.platforms.postgres.logins import Logins
from bench.platforms.preparation import answers, examined_as_reader, reach
from bench.platforms.processes import Process, Processes
from bench.preflight import description
from bench.preflight.global_order import catch_up
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Versions
from settings import Environment
from settings.catalogue.load import LOADGEN_WORKERS

FOLDER: Final = "/bundles"
REVISION: Final = "org.opencontainers.image.revision"
LOGGED: Final = ("api", "projector", *STORES)


class Containers:
    """The platform: the running stack, one part a container."""

    name = "compose"

    def __init__(self, compose: Compose, where: Addresses, processes: Processes, guardian: Guardian) -> None:
        self._compose = compose
        self._processes = processes
        self._parts = _parts(compose, where, guardian)
        self._leaders = ContainerLeaders(compose)

    def parts(self) -> list[Part]:
        """Servers of Postgres, a shard each, only where the stack has its own."""
        return list(self._parts)

    def leaders(self) -> Leaders:
        """Of every container of the stack, where the engine runs on this machine itself and not in one of its own."""
        return self._leaders.now()

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator in a container of its own, which leaves its files in `folder`, and its workers."""
        inside = f"{FOLDER}/{folder.name}"
        arguments = ["run", "--rm", "--no-deps", "--no-TTY", "--use-aliases", "--name", container_name(folder)]
        arguments += ["--user", self._owner(), "--volume", f"{folder.resolve()}:{inside}"]
        arguments += ["--env", f"RESULTS_DIR={inside}", "--env", f"RUN_ID={folder.name}", "loadgen"]
        process = self._processes.start("loadgen", arguments, self._compose.variables, program=self._compose.command())
        if workers := LOADGEN_WORKERS.read(Environment(self._compose.variables)):
            # They look for their master until it is there.
            add(self._compose, "loadgen-worker", workers)
        return process

    def versions(self) -> Versions:
        """What the images were built from: not what lies in the folder by now."""
        api = next(container for container in self._compose.containers() if container.service == "api")
        told = self._compose.docker("inspect", "--format", f'{{{{index .Config.Labels "{REVISION}"}}}}', api.id)
        python = self._compose.call("exec", "--no-TTY", "api", "python", "--version").stdout.strip()
        revision = told.removesuffix(DIRTY)
        return {
            **description.versions(ROOT),
            "revision": revision,
            "dirty": told.endswith(DIRTY),
            "python": f"C{python}",
        }

    def _owner(self) -> str:
        """Who owns the files that the container writes; where Docker runs without root, its root is ourselves."""
        rootless = "rootless" in self._compose.docker("info", "--format", "{{.SecurityOptions}}")
        return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"


def container_name(folder: Path) -> str:
    """The load generator's container."""
    return f"tidemark-loadgen-{folder.name}"


@contextmanager
def running(found: tuple[Compose, Addresses], settings: Settings, log: Path, progress: Progress) -> Iterator[System]:
    """Set the stack's projectors as the settings want them; at the end, their logs are in `log`.

    Only what differs is started anew: the projectors for another mode, all else only if its own settings changed.
    Raises SetupError where the stack does not become ready.
    """
    began = datetime.now(UTC)
    compose, where = found
    compose = compose.with_variables(told(settings))
    config = compose.config()
    for trouble in troubles(where, config):
        progress.step(f"note: {trouble}")
    progress.step(f"setting the stack to {settings.projectors} projector(s): {settings.strategy}")
    start(compose, "api", "projector", projectors=settings.projectors)
    http_client.settle(where.api, settings.projectors, settings.strategy)
    postgres = config["services"].get("postgres", {"image": "a Postgres outside of it"})
    way = f", through {config['services']['pooler']['image']}" if pooled(config) else ""
    source = f"the stack, {postgres['image']}{way}"
    # Each is reached, and what is told of a run's server is told of the first.
    told_by_server, *_ = [reach(url, source=source, profile="given") for url in where.databases]
    if settings.mode == "serial":
        progress.step("waiting for the global order to be walked to its end")
        for url in where.databases:
            catch_up(url)
    logins = [Logins.given(url) for url in where.databases]
    with Guardian() as guardian:
        processes = Processes(log, guardian)
        try:
            yield System(
                platform=Containers(compose, where, processes, guardian),
                settings=settings,
                base_url=where.api,
                logins=logins[0],
                postgres=told_by_server,
                doctor=examined_as_reader(settings, *where.databases),
                processes=processes,
                influx=target(where, config),
                further=tuple(logins[1:]),
            )
        finally:
            processes.stop()
            _end_loadgen(compose, log.parent)
            _keep_logs(compose, log, began)


def _parts(compose: Compose, where: Addresses, guardian: Guardian) -> list[Part]:
    services: dict[str, tuple[Kind, Callable[[ContainerPart], bool]]] = {
        **{name: ("postgres", _answering(url)) for name, url in zip(STORES, where.databases, strict=False)},
        "api": ("api", lambda _: http_client.ready(where.api)),
        "projector": ("projector", lambda part: http_client.at_work(where.api, part.holder)),
    }
    running = [container for container in compose.containers() if container.state == "running"]
    return [
        ContainerPart(compose, kind, container.name, ready, guardian=guardian)
        for service, (kind, ready) in services.items()
        for container in running
        if container.service == service
    ]


def _answering(url: str) -> Callable[[ContainerPart], bool]:
    return lambda _: answers(url)


def _end_loadgen(compose: Compose, folder: Path) -> None:
    name = container_name(folder)
    if compose.docker("ps", "--all", "--quiet", "--filter", f"name=^{name}$"):
        compose.docker("rm", "--force", name)
    if any(container.service == "loadgen-worker" for container in compose.containers()):
        compose.call("rm", "--force", "--stop", "loadgen-worker")


def _keep_logs(compose: Compose, log: Path, since: datetime) -> None:
    for service in LOGGED:
        done = compose.call(
            *ALL_PROFILES, "logs", "--no-color", "--no-log-prefix", "--since", since.isoformat(), service
        )
        if done.returncode == 0 and done.stdout:
            (log / f"{service}.log").write_text(done.stdout, encoding="utf-8")
