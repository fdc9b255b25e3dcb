"""`task scale N=4`: so many projectors, while everything else runs on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rich.console import Console

from bench.ends.errors import SetupError
from bench.platforms import http_client
from bench.platforms.compose.addresses import addresses
from bench.platforms.compose.compose import Compose, Container
from bench.platforms.compose.up import start
from settings import Environment

SETTLED_WITHIN_S: Final = 30.0
POLL_S: Final = 0.1


def scale(compose: Compose, number: str, console: Console) -> None:
    """Run `number` projectors and return when the store knows just them. Raises SetupError, SettingError."""
    count = Environment({"N": number}).integer("N", None, low=0, high=64)
    containers = compose.containers()
    if not any(container.service == "api" and container.well for container in containers):
        raise SetupError("stack", "is not up", "`task up` first")
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


def settle(api: str, count: int, strategy: str | None = None) -> dict[str, Any]:
    """The statistics as soon as just `count` projectors are alive, all by `strategy` if given. Raises SetupError."""
    return until(lambda stats: _settled(stats, count, strategy), api, f"{count} projector(s) to be alive")


def until(condition: Callable[[dict[str, Any]], bool], api: str, what: str) -> dict[str, Any]:
    """The first statistics that fulfil the condition. Raises SetupError when none did in time."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        stats = http_client.stats(api)
        if stats is not None and condition(stats):
            return stats
        if time.monotonic() > deadline:
            raise SetupError("stack", f"waited in vain for {what}", "see `task logs -- projector`")
        time.sleep(POLL_S)


def _settled(stats: dict[str, Any], count: int, strategy: str | None) -> bool:
    alive = [projector for projector in stats["projectors"] if projector["alive"]]
    return len(alive) == count and all(strategy in (None, projector["strategy"]) for projector in alive)
