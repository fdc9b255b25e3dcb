"""`docker compose` on this project: found, spoken to, and its refusals told in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.errors import SetupError
from bench.processes import ROOT

WITHOUT: Final = "`task bench:parallel` needs no Docker"
SECRETS: Final = ("POSTGRES_PASSWORD", "INFLUX_TOKEN", "INFLUX_PASSWORD", "GRAFANA_PASSWORD")
ALL_PROFILES: Final = ("--profile", "*")
LOAD: Final = ("--profile", "load")


@dataclass(frozen=True)
class Container:
    """One container of the project. `health` is empty where there is no health check."""

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int

    @property
    def well(self) -> bool:
        """True when it runs and, if it says so, is ready."""
        return self.state == "running" and self.health in ("", "healthy")


class Compose:
    """The project's `docker compose`. Every call runs in the project's root and reads its .env."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.variables: Final = {**os.environ, **(variables or {})}

    def with_variables(self, variables: Mapping[str, str]) -> Compose:
        """The same with more variables, which stand above .env."""
        return Compose({**self.variables, **variables})

    def call(self, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` with the arguments, and return when it has ended; what it prints is kept.

        Raises SetupError when it does not end in time.
        """
        return self._docker("compose", *arguments, timeout=timeout)

    def docker(self, *arguments: str) -> str:
        """What `docker` prints. Raises SetupError with its first line of complaint when it fails."""
        done = self._docker(*arguments)
        if done.returncode != 0:
            raise SetupError("docker", complaint(done.stderr), "see `docker " + " ".join(arguments[:2]) + "`")
        return done.stdout.strip()

    def command(self, *arguments: str) -> list[str]:
        """The command line, for whoever starts it."""
        return ["docker", "compose", *arguments]

    def config(self) -> dict[str, Any]:
        """compose.yaml with all variables resolved. Raises SetupError."""
        done = self.call(*LOAD, "config", "--format", "json")
        if done.returncode != 0:
            raise SetupError("compose.yaml", complaint(done.stderr), "correct .env, or remove it and run `task up`")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def containers(self) -> list[Container]:
        """All containers of the project, ended ones included; none when Docker gives no answer."""
        done = self.call(*ALL_PROFILES, "ps", "--all", "--format", "json")
        return [_container(entry) for entry in _entries(done.stdout)] if done.returncode == 0 else []

    def environment(self, container: Container) -> dict[str, str]:
        """The variables that a container was started with; one without a value was unset."""
        listed: list[str] = json.loads(self.docker("inspect", "--format", "{{json .Config.Env}}", container.id))
        return dict(entry.split("=", 1) for entry in listed if "=" in entry)

    def published(self, service: str, port: int) -> str | None:
        """`host:port` under which a running service's port can be reached from here, None if it is not published."""
        done = self.call("port", service, str(port))
        address = done.stdout.strip()
        return address if done.returncode == 0 and address and not address.endswith(":0") else None

    def logs(self, container: str) -> str:
        """All that one container wrote, which for services is standard error."""
        done = self._docker("logs", container)
        return done.stdout + done.stderr

    def last_line(self, service: str) -> str:
        """The last line that a service logged."""
        done = self.call(*ALL_PROFILES, "logs", "--no-color", "--no-log-prefix", "--tail", "1", service)
        return done.stdout.strip()

    def _docker(self, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["docker", *arguments],
                cwd=ROOT,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise SetupError(
                "docker", f"no answer to `docker {arguments[0]}` within {timeout:g} s", "restart Docker"
            ) from None


def connect() -> Compose:
    """The project's Compose. Raises SetupError without Docker, with Docker not running, and without Compose."""
    if shutil.which("docker") is None:
        raise SetupError("docker", "is not installed", f"install Docker with its Compose plugin; {WITHOUT}")
    compose = Compose()
    server = compose._docker("version", "--format", "{{.Server.Version}}")
    if server.returncode != 0:
        raise SetupError("docker", f"does not run ({complaint(server.stderr)})", f"start Docker; {WITHOUT}")
    if compose.call("version").returncode != 0:
        raise SetupError("docker", "has no `compose` command", "install Docker's Compose plugin, 2.24 or newer")
    return compose


def tolerant(compose: Compose) -> Compose:
    """For commands that start nothing: they work without the secrets of .env."""
    missing = {name: "unset" for name in SECRETS if not os.environ.get(name)}
    return compose.with_variables(missing) if not (ROOT / ".env").exists() else compose


def complaint(text: str) -> str:
    """The line of an output that says what is wrong: the last one with an error, else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no reason given"])[-1]


def _entries(text: str) -> Sequence[Mapping[str, Any]]:
    if text.lstrip().startswith("["):
        entries: Sequence[Mapping[str, Any]] = json.loads(text)
        return entries
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _container(entry: Mapping[str, Any]) -> Container:
    return Container(
        id=entry["ID"],
        name=entry["Name"],
        service=entry["Service"],
        state=entry["State"],
        health=entry.get("Health") or "",
        exit_code=int(entry.get("ExitCode") or 0),
    )
