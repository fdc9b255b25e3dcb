"""What a run was measured on: `machine.json`, `versions.json`, `postgres.json`. More fields are let pass."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Machine(TypedDict):
    """`machine.json`."""

    cpu_model: str
    cores: float | None
    cores_installed: NotRequired[int | None]
    ram_gib: float
    ram_installed_gib: NotRequired[float]
    os: str
    kernel: NotRequired[str]
    architecture: NotRequired[str]
    nice: NotRequired[int]


class Versions(TypedDict):
    """`versions.json`."""

    revision: NotRequired[str | None]
    dirty: NotRequired[bool | None]
    python: NotRequired[str]
    packages: NotRequired[dict[str, str]]


class Postgres(TypedDict):
    """`postgres.json`."""

    version: str
    source: str
    profile: NotRequired[str]
    settings: NotRequired[dict[str, str]]
    tls: NotRequired[bool | None]
    environment: NotRequired[dict[str, str]]
