"""What a run was measured on: `machine.json`, `versions.json`, `postgres.json`. More fields are let pass."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Machine(TypedDict):
    """`machine.json`.

    `cores` and `ram_gib` are those that the run may use, `cores_installed` and `ram_installed_gib` all. `cpu_model`,
    `os`, `kernel` and `architecture` are as the system names them; `nice` is the run's priority.
    """

    cpu_model: str
    cores: float | None
    cores_installed: NotRequired[int | None]
    ram_gib: float
    ram_installed_gib: NotRequired[float]
    os: str
    kernel: NotRequired[str]
    architecture: NotRequired[str]
    nice: NotRequired[int]


class TargetVersions(TypedDict):
    """`name` and `version` of what was measured, as its manifest tells them.

    `lock` is the digest of what decides its packages, `packages` are those that the lock pins.
    """

    name: str
    version: str
    lock: str
    packages: NotRequired[dict[str, str]]


class Versions(TypedDict):
    """`versions.json`. `revision` of the project, `dirty` where there were changes that it has not.

    `python` is the interpreter's version, `packages` those of the libraries that matter. `target` is
    what was measured, where the run has started it.
    """

    revision: NotRequired[str | None]
    dirty: NotRequired[bool | None]
    python: NotRequired[str]
    packages: NotRequired[dict[str, str]]
    target: NotRequired[TargetVersions]


class Postgres(TypedDict):
    """`postgres.json`. `source` is who brought it, `profile` whether it was as durable as it is by default, or `test`.

    `version` is the server's, `settings` those that are not its defaults and those that durability hangs on, `tls`
    whether the connection was encrypted, `environment` the variables that acted upon it.
    """

    version: str
    source: str
    profile: NotRequired[str]
    settings: NotRequired[dict[str, str]]
    tls: NotRequired[bool | None]
    environment: NotRequired[dict[str, str]]
