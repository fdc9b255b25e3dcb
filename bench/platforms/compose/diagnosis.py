"""Why the stack does not come up, in one line with what to do."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bench.ends.errors import SetupError
from bench.platforms.compose.addresses import STORES, led_to
from bench.platforms.compose.compose import Compose, Container, complaint
from settings.catalogue import stack
from settings.catalogue.database import SHARDS

PORTS: Final = {
    "api": stack.STACK_API_PORT.name,
    "postgres": stack.STACK_POSTGRES_PORT.name,
    "postgres-2": stack.STACK_POSTGRES_2_PORT.name,
    "influxdb": stack.STACK_INFLUX_PORT.name,
    "grafana": stack.STACK_GRAFANA_PORT.name,
}
ONE_SHOT: Final = ("migrate", "roles")
OTHER_SHARDS: Final = "set SHARDS as it was when the stack was made, or `task reset` (drops the data)"
OTHER_SECRETS: Final = "its volume was made with another one: put that into .env, or `task reset` (drops the data)"


def check_ports(config: Mapping[str, Any], running: Iterable[Container]) -> None:
    """Raise SetupError for a published port that somebody else has; those of running services are ours."""
    ours = {container.service for container in running if container.state == "running"}
    absent = STORES[len(led_to(config["services"]["roles"]["environment"])) :]
    for service, variable in PORTS.items():
        if service in (*ours, *absent) or service not in config["services"]:
            continue
        for port in config["services"][service].get("ports", []):
            if port.get("published", "").isdigit():
                _check(variable, port.get("host_ip", "127.0.0.1"), int(port["published"]))


def _check(variable: str, host: str, port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise SetupError(
                    variable, f"port {port} of {host} is taken", f"stop what listens there, or set {variable} in .env"
                ) from None
            raise SetupError(variable, f"port {port} of {host}: {error.strerror}", "set another in .env") from None


def explain(compose: Compose, output: str) -> SetupError:
    """What went wrong in `docker compose up`, by the containers it left and by what it printed."""
    for container in compose.containers():
        if container.service in ONE_SHOT and container.state == "exited" and container.exit_code != 0:
            return _migration(container.service, compose.last_line(container.service))
    if taken := re.search(r"(?:127\.0\.0\.1|0\.0\.0\.0):(\d+).*(?:already allocated|already in use)", output):
        names = " or ".join(PORTS.values())
        return SetupError("docker", f"port {taken[1]} is taken", f"stop what listens there, or set {names} in .env")
    for container in compose.containers():
        if container.service not in ONE_SHOT and not container.well:
            return _unwell(compose, container)
    return SetupError("docker", complaint(output), "see .cache/stack.log")


def _migration(service: str, line: str) -> SetupError:
    if "password authentication failed" in line:
        return SetupError("POSTGRES_PASSWORD", "the database refuses it", OTHER_SECRETS)
    if "the store is shard" in line:
        return SetupError(SHARDS.name, line, OTHER_SHARDS)
    return SetupError(service, line or "failed without a word", f"see `task logs -- {service}`, then `task up` again")


def _unwell(compose: Compose, container: Container) -> SetupError:
    state = container.health if container.state == "running" else f"{container.state}, exit code {container.exit_code}"
    line = compose.last_line(container.service)
    return SetupError(
        container.service,
        f"is not ready ({state})" + (f": {line}" if line else ""),
        f"see `task logs -- {container.service}`, mend it, then `task up` again",
    )
