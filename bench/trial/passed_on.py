"""Settings that the services read and the bench only passes on. Checked here too, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from metrics.target import NAMES
from settings import Environment, shared, tracing
from settings.addresses import postgres_url
from settings.shared import Shared

CHECKED: Final[Mapping[str, Shared]] = {
    setting.name: setting
    for setting in (
        shared.LEASE_SECONDS,
        shared.POLL_MS,
        shared.LINGER_MS,
        shared.RETRY_ATTEMPTS,
        shared.VISIBILITY,
        shared.STORE_TIMEOUT_MS,
        shared.STORE_CONNECT_TIMEOUT_MS,
        shared.LISTEN_HEARTBEAT_MS,
        shared.API_POOL_SIZE,
        shared.LOADGEN_WORKERS,
        shared.LOG_LEVEL,
    )
}


def passed_on(given: Mapping[str, str]) -> dict[str, str]:
    """The variables among these that are given, as their services read them. Raises SettingError for a bad one."""
    env = Environment(given)
    told: dict[str, str] = {}
    for name, setting in CHECKED.items():
        read: Any = setting.read(env)
        if env.optional(name):
            told[name] = setting.spell(read)
    texts = {name: env.optional(name) for name in (*NAMES, "GRAFANA_URL")}
    texts["LISTEN_URL"] = postgres_url.read(env, "LISTEN_URL")
    texts["LOADGEN_LISTEN"] = env.host_and_port("LOADGEN_LISTEN")
    return told | {name: text for name, text in texts.items() if text} | tracing.variables_of(given)
