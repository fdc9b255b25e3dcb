"""The API's settings: one frozen object, made from the environment before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from eventstore.connection.bounds import BOUNDS, Bounds
from settings import UNSET, Environment
from settings.catalogue import api, database, observation, projection


@dataclass(frozen=True)
class Settings:
    """What the API is told. `processes` share one port; `pool_size` bounds the connections of each to the store.

    A caller is waited for `client_timeout` seconds at each of its turns. `database_url` is the first shard's address,
    `further_urls` those of the others.
    """

    database_url: str
    further_urls: tuple[str, ...] = ()
    host: str = api.API_HOST.read(UNSET)
    port: int = api.API_PORT.read(UNSET)
    processes: int = api.API_PROCESSES.read(UNSET)
    pool_size: int = api.API_POOL_SIZE.read(UNSET)
    latency_max_s: float = api.API_LATENCY_MAX_MS.read(UNSET) / 1000
    client_timeout: float = api.API_CLIENT_TIMEOUT_MS.read(UNSET) / 1000
    serial: bool = projection.SERIAL_PROJECTION.read(UNSET)
    log_level: str = observation.LOG_LEVEL.read(UNSET)
    bounds: Bounds = BOUNDS

    @property
    def database_urls(self) -> tuple[str, ...]:
        """The address of each shard, in their order."""
        return (self.database_url, *self.further_urls)

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> Self:
        """Read the settings. Raises SettingError."""
        env = Environment(variables)
        first, *others = database.addresses(env)
        return cls(
            database_url=first,
            further_urls=tuple(others),
            host=api.API_HOST.read(env),
            port=api.API_PORT.read(env),
            processes=api.API_PROCESSES.read(env),
            pool_size=api.API_POOL_SIZE.read(env),
            latency_max_s=api.API_LATENCY_MAX_MS.read(env) / 1000,
            client_timeout=api.API_CLIENT_TIMEOUT_MS.read(env) / 1000,
            serial=projection.SERIAL_PROJECTION.read(env),
            log_level=observation.LOG_LEVEL.read(env),
            bounds=Bounds.from_env(env),
        )
