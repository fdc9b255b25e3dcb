"""Addresses of the stack: the stores its services are led to, and where it is reached from this machine.

All are read from Compose, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from bench.platforms.compose.compose import Compose, Container
from bench.platforms.postgres.logins import as_role, variable
from settings.catalogue import database

POOLED: Final = "pooled-postgres"
"""The pooler's name among the containers."""
STORES: Final = ("postgres", "postgres-2")
"""The service of each shard."""
DATABASE_URLS: Final = database.DATABASE_URLS.name
SECOND: Final = "SECOND_SHARD"
"""Any value in it leads all services to the second shard, too."""


@dataclass(frozen=True)
class Addresses:
    """`databases`: that of each shard in their order; they hold the password. None: the stack has no such service."""

    api: str
    databases: tuple[str, ...]
    influxdb: str | None
    grafana: str | None


def addresses(compose: Compose, config: Mapping[str, Any]) -> Addresses:
    """The addresses of the running stack."""
    services = config["services"]
    told = services["api"]["environment"]
    return Addresses(
        api=f"http://{compose.published('api', int(told['API_PORT'])) or own(told)}",
        databases=tuple(_database(compose, url, services) for url in _oracle(services["roles"]["environment"])),
        influxdb=_http(compose.published("influxdb", 8086)),
        grafana=_http(compose.published("grafana", 3000)),
    )


def pooled(config: Mapping[str, Any]) -> bool:
    """Whether the stack's services reach Postgres through its pooler."""
    return urlsplit(led_to(config["services"]["api"]["environment"])[0]).hostname == POOLED


def led_to(environment: Mapping[str, str]) -> list[str]:
    """The address of each shard that a service is told."""
    return environment[DATABASE_URLS].split()


def in_shards(compose: Compose, shards: int) -> Compose:
    """The same with its services led to so many shards, one or two."""
    return compose.with_variables({SECOND: "yes" if shards == len(STORES) else ""})


def as_it_runs(compose: Compose, containers: Iterable[Container]) -> Compose:
    """The same with its services led to the shards to which the API that runs is; one that is told no list has one."""
    api = next((one for one in containers if one.service == "api" and one.state == "running"), None)
    return compose if api is None else in_shards(compose, len(compose.environment(api).get(DATABASE_URLS, "").split()))


def _oracle(told: Mapping[str, str]) -> list[str]:
    """Where the bench reads, by the role that can do nothing else."""
    return [as_role(url, "oracle", told[variable("oracle")]) for url in led_to(told)]


def own(told: Mapping[str, str]) -> str:
    """Where an API listens that shares this machine's network."""
    return f"{told['API_HOST']}:{told['API_PORT']}"


def _database(compose: Compose, url: str, services: Mapping[str, Any]) -> str:
    parts = urlsplit(url)
    if parts.hostname is None or parts.hostname not in services:
        return url
    published = compose.published(parts.hostname, parts.port or 5432)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@{published}")) if published else url


def _http(address: str | None) -> str | None:
    return f"http://{address}" if address else None
