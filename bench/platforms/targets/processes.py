"""Processes of a target as its manifest says: command lines and environments, with every placeholder in its place.

A process is given what its manifest tells it above an allow list of this machine's variables: nothing of the user's own
settings, and no secret but the address of its own database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.platforms.targets.folder import Place
from bench.preflight.settings import Settings
from settings.environment import spelled
from settings.targets.document import Step
from settings.targets.manifest import PLACEHOLDER, Manifest

HOST: Final = "127.0.0.1"


@dataclass(frozen=True)
class Line:
    """How a process is started."""

    command: list[str]
    environment: dict[str, str]
    cwd: Path


@dataclass(frozen=True)
class Address:
    """Where the API of a run listens."""

    host: str
    port: int

    @property
    def base_url(self) -> str:
        """Without a last slash."""
        return f"http://{self.host}:{self.port}"


class Lines:
    """The lines of a target's processes in one run. `data` is a private folder, which is gone at its end."""

    def __init__(self, settings: Settings, place: Place, address: Address, data: Path) -> None:
        self._target: Manifest = settings.target
        self._cwd = place.cwd
        self._told = {
            "python": place.python,
            "node": place.node,
            "folder": str(place.folder),
            "host": address.host,
            "port": str(address.port),
            "base_url": address.base_url,
            "data": str(data),
            "mode": settings.mode,
            "handler_latency_ms": spelled(settings.handler_latency_ms),
        }

    def of(
        self, step: Step, base: Mapping[str, str], *, name: str, number: int = 0, database: str | None = None
    ) -> Line:
        """The line of one process. `base` is the environment beneath what the manifest tells."""
        told = {**self._told, "name": name, "number": str(number), "database": database or ""}
        variables = {**self._target.environment, **step.environment}
        return Line(
            command=[fill(word, told) for word in step.command],
            environment={**base, **{variable: fill(value, told) for variable, value in variables.items()}},
            cwd=self._cwd,
        )


def fill(text: str, told: Mapping[str, str]) -> str:
    """The text with its placeholders in their places."""
    return PLACEHOLDER.sub(lambda found: told[found[1]], text)
