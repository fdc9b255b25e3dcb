"""InfluxDB and Grafana beside the system: a run goes on without them, but one should know."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from bench.ends.errors import SetupError
from bench.platforms.compose.addresses import Addresses
from bench.platforms.compose.diagnosis import OTHER_SECRETS
from bench.platforms.http_client import direct
from metrics.target import GRAFANA_URL, Target

TIMEOUT_S: Final = 3.0
RESTART: Final = "`task up` starts it again, `task logs -- {}` tells why it stopped"


def troubles(found: Addresses, config: Mapping[str, Any]) -> list[SetupError]:
    """What is wrong with the observers of the running stack; one that compose.yaml does not have is never missed."""
    services = config["services"]
    reasons = []
    if "influxdb" in services:
        told = services["influxdb"]["environment"]
        reasons.append(_influxdb(found.influxdb, told["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"]))
    if "grafana" in services:
        reasons.append(_grafana(found.grafana))
    return [reason for reason in reasons if reason is not None]


def target(found: Addresses, config: Mapping[str, Any]) -> Target | None:
    """The stack's InfluxDB and Grafana as they are reached from here, None if it has no InfluxDB."""
    if found.influxdb is None:
        return None
    told = config["services"]["influxdb"]["environment"]
    names = ("ADMIN_TOKEN", "ORG", "BUCKET")
    token, org, bucket = (told[f"DOCKER_INFLUXDB_INIT_{name}"] for name in names)
    return Target(found.influxdb, token, org, bucket, found.grafana or GRAFANA_URL)


def _influxdb(address: str | None, token: str) -> SetupError | None:
    down = SetupError("influxdb", "gives no answer, so a run leaves nothing in it", RESTART.format("influxdb"))
    if address is None:
        return down
    try:
        status = _status(f"{address}/api/v2/buckets?limit=1", {"Authorization": f"Token {token}"})
    except (OSError, http.client.HTTPException):
        return down
    if status in (401, 403):
        return SetupError("INFLUX_TOKEN", "InfluxDB refuses it", OTHER_SECRETS)
    if status != http.client.OK:
        return SetupError("influxdb", f"answers {status}, so a run leaves nothing in it", RESTART.format("influxdb"))
    return None


def _grafana(address: str | None) -> SetupError | None:
    down = SetupError("grafana", "gives no answer, so nothing can be watched", RESTART.format("grafana"))
    try:
        return None if address is not None and _status(f"{address}/api/health", {}) == 200 else down
    except (OSError, http.client.HTTPException):
        return down


def _status(url: str, headers: Mapping[str, str]) -> int:
    try:
        with direct(urllib.request.Request(url, headers=dict(headers)), TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
