"""Where the running stack can be reached from this machine, read from Compose, never assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench.platforms.compose.compose import Compose
from bench.platforms.postgres.logins import as_role, variable


@dataclass(frozen=True)
class Addresses:
    """`database` holds the password. None: the stack has no such service."""

    api: str
    database: str
    influxdb: str | None
    grafana: str | None


def addresses(compose: Compose, config: Mapping[str, Any]) -> Addresses:
    """The addresses of the running stack."""
    services = config["services"]
    told = services["api"]["environment"]
    return Addresses(
        api=f"http://{compose.published('api', int(told['API_PORT'])) or own(told)}",
        database=_database(compose, _oracle(services["roles"]["environment"]), services),
        influxdb=_http(compose.published("influxdb", 8086)),
        grafana=_http(compose.published("grafana", 3000)),
    )


def _oracle(told: Mapping[str, str]) -> str:
    """Where the bench reads, by the role that can do nothing else."""
    return as_role(told["DATABASE_URL"], "oracle", told[variable("oracle")])


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
