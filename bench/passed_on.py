"""Settings that the services read and the bench only passes on. Checked here too, before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from metrics.target import NAMES
from settings import Environment

Check = Callable[[Environment, str], object]

CHECKS: Final[Mapping[str, Check]] = {
    "LEASE_SECONDS": lambda env, name: env.number(name, 5, low=0.5, high=3600),
    "POLL_MS": lambda env, name: env.number(name, 250, low=1, high=60_000),
    "LINGER_MS": lambda env, name: env.number(name, 5, low=0, high=1000),
    "RETRY_ATTEMPTS": lambda env, name: env.integer(name, 5, low=1, high=100),
    "VISIBILITY": lambda env, name: env.choice(name, "watermark", ["watermark", "naive"]),
    "API_POOL_SIZE": lambda env, name: env.integer(name, 8, low=1, high=100),
    "LOADGEN_WORKERS": lambda env, name: env.integer(name, 0, low=0, high=64),
    "LOG_LEVEL": lambda env, name: env.choice(name, "info", ["debug", "info", "warning", "error"]),
}


def passed_on(given: Mapping[str, str]) -> dict[str, str]:
    """The variables that are passed on as they are. Raises SettingError for one that a service would refuse."""
    env = Environment(given)
    for name, check in CHECKS.items():
        check(env, name)
    return {name: given[name] for name in (*CHECKS, *NAMES, "GRAFANA_URL") if name in given}
