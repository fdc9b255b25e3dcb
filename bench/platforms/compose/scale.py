"""`task scale N=4`: so many projectors, while everything else runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

from bench.ends.errors import SetupError
from bench.platforms.compose.addresses import addresses, as_it_runs
from bench.platforms.compose.compose import Compose, Container
from bench.platforms.compose.up import start
from bench.platforms.http_client import settle
from settings import Environment


def scale(compose: Compose, number: str, console: Console) -> None:
    """Run `number` projectors and return when the store knows just them. Raises SetupError, SettingError."""
    count = Environment({"N": number}).integer("N", None, low=0, high=64)
    containers = compose.containers()
    if not any(container.service == "api" and container.well for container in containers):
        raise SetupError("stack", "is not up", "`task up` first")
    compose = as_it_runs(compose, containers)
    config = compose.config()
    start(_as_they_are(compose, containers, config), "projector", projectors=count)
    settle(addresses(compose, config).api, count)
    console.print(f"{count} projector(s) at work")


def _as_they_are(compose: Compose, containers: Iterable[Container], config: Mapping[str, Any]) -> Compose:
    """With what the projectors at work were told, the strategy above all: those stay, and new ones are alike."""
    known = config["services"]["projector"]["environment"]
    for container in containers:
        if container.service == "projector" and container.state == "running":
            told = compose.environment(container)
            return compose.with_variables({name: value for name, value in told.items() if name in known})
    return compose
