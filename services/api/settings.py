"""The API's settings: one frozen object, made from the environment before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from eventstore.connection.bounds import BOUNDS, Bounds
from settings import Environment, shared
from settings.addresses import postgres_url


@dataclass(frozen=True)
class Settings:
    """What the API is told. `processes` share one port; `pool_size` bounds the connections of each of them."""

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1
    pool_size: int = 8
    serial: bool = False
    log_level: str = "info"
    bounds: Bounds = BOUNDS

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> Self:
        """Read the settings. Raises SettingError."""
        env = Environment(variables)
        return cls(
            database_url=postgres_url.required(env, "DATABASE_URL"),
            host=env.text("API_HOST", cls.host),
            port=env.integer("API_PORT", cls.port, low=1, high=65535),
            processes=shared.API_PROCESSES.read(env),
            pool_size=shared.API_POOL_SIZE.read(env),
            serial=shared.SERIAL_PROJECTION.read(env),
            log_level=shared.LOG_LEVEL.read(env),
            bounds=Bounds.from_env(env),
        )
