"""`docker compose` on this project: found, spoken to, and its refusals told in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench import ROOT
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import SetupError
from settings import catalogue
from settings.children import DOCKER

WITHOUT: Final = "`task bench:parallel` needs no Docker"
LASTING: Final = tuple(secret.name for secret in catalogue.stack_secrets() if secret.lasting)
"""Secrets that a volume keeps from the moment when it was made."""
SECRETS: Final = (*LASTING, *(secret.name for secret in catalogue.stack_secrets() if not secret.lasting))
"""All of them; those of the database's roles are set anew with each start."""
ALL_PROFILES: Final = ("--profile", "*")
LOAD: Final = ("--profile", "load")
POOLER: Final = ("--profile", "pooler")
SHARDED: Final = ("--profile", "shards")
ANSWER_S: Final = 60.0
"""How long Docker may take to answer a question; starting, building and stopping take as long as they take."""
SLOW: Final = ("up", "build", "down")


class DockerSilent(SetupError):
    """Docker gave no answer, or none that can be read."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__("docker", f"`{command}`: {why}", f"restart Docker; {WITHOUT}")


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
    """The project's `docker compose`. Every call runs in the project's root and reads its .env.

    A question that Docker does not answer within `patience_s` raises DockerSilent.
    """

    def __init__(self, variables: Mapping[str, str] | None = None, *, patience_s: float = ANSWER_S) -> None:
        self.variables: Final = {**DOCKER.also(*told_to_stack()).environment(), **(variables or {})}
        self._patience_s: Final = patience_s

    def with_variables(self, variables: Mapping[str, str]) -> Compose:
        """The same with more variables, which stand above .env."""
        return Compose({**self.variables, **variables}, patience_s=self._patience_s)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` with the arguments, and return when it has ended; what it prints is kept."""
        return self._docker("compose", *arguments)

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
        """compose.yaml with all variables resolved, and every service that may be started. Raises SetupError."""
        done = self.call(*LOAD, *POOLER, *SHARDED, "config", "--format", "json")
        if done.returncode != 0:
            raise SetupError("compose.yaml", complaint(done.stderr), "correct .env, or remove it and run `task up`")
        return _object(_json(done.stdout, "docker compose config"), "docker compose config")

    def containers(self) -> list[Container]:
        """All containers of the project, ended ones included; none when Docker gives no answer."""
        done = self.call(*ALL_PROFILES, "ps", "--all", "--format", "json")
        if done.returncode != 0:
            return []
        return [_container(_object(entry, "docker compose ps")) for entry in _entries(done.stdout)]

    def environment(self, container: Container) -> dict[str, str]:
        """The variables that a container was started with; one without a value was unset."""
        listed = _json(self.docker("inspect", "--format", "{{json .Config.Env}}", container.id), "docker inspect")
        if not isinstance(listed, list):
            raise DockerSilent("docker inspect", f"an answer that can not be read: {listed!r:.80}")
        return dict(str(entry).split("=", 1) for entry in listed if "=" in str(entry))

    def published(self, service: str, port: int) -> str | None:
        """`host:port` under which a running service's port can be reached from here, None if it is not published."""
        done = self.call(*ALL_PROFILES, "port", service, str(port))
        address = done.stdout.strip()
        return address if done.returncode == 0 and address and not address.endswith(":0") else None

    def logs(self, container: str, *options: str) -> str:
        """What one container wrote, which for services is standard error; all of it without options."""
        done = self._docker("logs", *options, container)
        return done.stdout + done.stderr

    def last_line(self, service: str) -> str:
        """The last line that a service logged."""
        done = self.call(*ALL_PROFILES, "logs", "--no-color", "--no-log-prefix", "--tail", "1", service)
        return done.stdout.strip()

    def _docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        patience = None if any(word in SLOW for word in arguments) else self._patience_s
        try:
            return ask(["docker", *arguments], self.variables, cwd=ROOT, within_s=patience)
        except NoAnswer as silence:
            raise DockerSilent("docker " + " ".join(arguments[:1]), str(silence)) from None


def told_to_stack() -> list[str]:
    """What compose.yaml takes from outside: the settings that people are shown, and the images' revision."""
    return [*(setting.name for setting in catalogue.every() if setting.shown), "REVISION"]


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


def _entries(text: str) -> Sequence[Any]:
    if text.lstrip().startswith("["):
        entries: Sequence[Any] = _json(text, "docker compose ps")
        return entries
    return [_json(line, "docker compose ps") for line in text.splitlines() if line.strip()]


def _json(text: str, command: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise DockerSilent(command, f"an answer that can not be read: {text.strip()[:80]!r}") from None


def _object(value: Any, command: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DockerSilent(command, f"an answer that can not be read: {value!r:.80}")
    return value


def _container(entry: Mapping[str, Any]) -> Container:
    try:
        return Container(
            id=entry["ID"],
            name=entry["Name"],
            service=entry["Service"],
            state=entry["State"],
            health=entry.get("Health") or "",
            exit_code=int(entry.get("ExitCode") or 0),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DockerSilent("docker compose ps", f"an answer that can not be read: {error!r}") from None
