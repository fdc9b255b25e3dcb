"""A run in the stack: the projectors are set as it wants them, the load generator runs once, and nothing is stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.ends.guardian import Guardian
from bench.platforms.compose.addresses import Addresses
from bench.platforms.compose.compose import Compose
from bench.platforms.compose.observers import target, troubles
from bench.platforms.compose.scale import settle
from bench.platforms.compose.up import DIRTY, add, start, told
from bench.platforms.local.system import Projector, Stack, reach, watched
from bench.platforms.logins import Logins
from bench.platforms.processes import Process, Processes
from bench.trial.global_order import catch_up
from bench.trial.progress import Progress
from bench.trial.settings import Settings
from metrics.target import Target
from settings import Environment
from settings.catalogue.load import LOADGEN_WORKERS

FOLDER: Final = "/bundles"
REVISION: Final = "org.opencontainers.image.revision"
LOGGED: Final = ("api", "projector", "postgres")


@dataclass
class ContainerProjector:
    """A projector's container. Docker starts one that crashes again, but not one that was killed by hand."""

    compose: Compose
    name: str
    holder: str
    expendable: bool = False

    def kill(self) -> None:
        """SIGKILL to its process."""
        self.compose.docker("kill", "--signal", "KILL", self.name)


@dataclass
class ContainerStack(Stack):
    """The running stack."""

    compose: Compose
    observed: Target | None

    @property
    def influx(self) -> Target | None:
        """The stack's own InfluxDB, by its published port."""
        return self.observed

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator in a container of its own, which leaves its files in `folder`, and its workers."""
        inside = f"{FOLDER}/{folder.name}"
        arguments = ["run", "--rm", "--no-deps", "--no-TTY", "--use-aliases", "--name", container_name(folder)]
        arguments += ["--user", self._owner(), "--volume", f"{folder.resolve()}:{inside}"]
        arguments += ["--env", f"RESULTS_DIR={inside}", "--env", f"RUN_ID={folder.name}", "loadgen"]
        process = self.processes.start("loadgen", arguments, self.compose.variables, program=self.compose.command())
        if workers := LOADGEN_WORKERS.read(Environment(self.compose.variables)):
            # They look for their master until it is there.
            add(self.compose, "loadgen-worker", workers)
        return process

    def replace(self, victim: Projector) -> None:
        """Start the container again that was killed."""
        self.compose.docker("start", victim.name)

    def versions(self) -> dict[str, Any]:
        """What the images were built from: not what lies in the folder by now."""
        api = next(container for container in self.compose.containers() if container.service == "api")
        told = self.compose.docker("inspect", "--format", f'{{{{index .Config.Labels "{REVISION}"}}}}', api.id)
        python = self.compose.call("exec", "--no-TTY", "api", "python", "--version").stdout.strip()
        revision = told.removesuffix(DIRTY)
        return {**super().versions(), "revision": revision, "dirty": told.endswith(DIRTY), "python": f"C{python}"}

    def _owner(self) -> str:
        """Who owns the files that the container writes; where Docker runs without root, its root is ourselves."""
        rootless = "rootless" in self.compose.docker("info", "--format", "{{.SecurityOptions}}")
        return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"


def container_name(folder: Path) -> str:
    """The load generator's container."""
    return f"tidemark-loadgen-{folder.name}"


@contextmanager
def running(
    found: tuple[Compose, Addresses], settings: Settings, log: Path, progress: Progress
) -> Iterator[ContainerStack]:
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
    settle(where.api, settings.projectors, settings.strategy)
    postgres = config["services"].get("postgres", {"image": "a Postgres outside of it"})
    facts = reach(where.database, source=f"the stack, {postgres['image']}", profile="given")
    if settings.mode == "serial":
        progress.step("waiting for the global order to be walked to its end")
        catch_up(where.database)
    with Guardian() as guardian:
        processes = Processes(log, guardian)
        try:
            yield ContainerStack(
                settings,
                where.api,
                Logins.given(where.database),
                facts,
                processes,
                _projectors(compose),
                watched(settings, where.database),
                compose,
                target(where, config),
            )
        finally:
            processes.stop()
            _end_loadgen(compose, log.parent)
            _keep_logs(compose, log, began)


def _projectors(compose: Compose) -> list[Projector]:
    return [
        ContainerProjector(compose, container.name, _holder(compose, container.name))
        for container in compose.containers()
        if container.service == "projector" and container.state == "running"
    ]


def _holder(compose: Compose, container: str) -> str:
    """The name under which the projector in a container holds leases now, as it said at its start."""
    said = [json.loads(line) for line in compose.logs(container).splitlines() if line.startswith("{")]
    names = [str(line["projector"]) for line in said if line["event"] == "projector started"]
    return names[-1] if names else ""


def _end_loadgen(compose: Compose, folder: Path) -> None:
    name = container_name(folder)
    if compose.docker("ps", "--all", "--quiet", "--filter", f"name=^{name}$"):
        compose.docker("rm", "--force", name)
    if any(container.service == "loadgen-worker" for container in compose.containers()):
        compose.call("rm", "--force", "--stop", "loadgen-worker")


def _keep_logs(compose: Compose, log: Path, since: datetime) -> None:
    for service in LOGGED:
        done = compose.call("logs", "--no-color", "--no-log-prefix", "--since", since.isoformat(), service)
        if done.returncode == 0 and done.stdout:
            (log / f"{service}.log").write_text(done.stdout, encoding="utf-8")
