"""The settings of a whole run: every variable is checked here, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

from bench import scenarios
from bench.trial.passed_on import passed_on
from metrics.target import Target
from settings import Environment, SettingError, shared, strategies
from settings.addresses import postgres_url
from settings.addresses.http import http_root
from settings.hiding import shown
from settings.spelling import spelled
from settings.strategies import Strategy

Mode = Literal["serial", "parallel"]

OBSERVATION: Final = ("OTEL_", "LOG_LEVEL")
OPEN_LOOP: Final = ("throughput", "reads")


@dataclass(frozen=True)
class Settings:
    """One run. None means unset: an embedded Postgres, a stack of our own, a free port, the closed loop."""

    scenario: str
    strategy: Strategy
    database_url: str | None
    base_url: str | None
    api_port: int | None
    api_processes: int
    projectors: int
    users: int
    duration_s: float
    warmup_s: float
    write_ratio: float
    think_time_ms: float
    convergence_max_s: float
    seed: int
    rate: float | None
    handler_latency_ms: float
    streams_in_flight: int
    others: Mapping[str, str]
    influx: Target | None = None

    @classmethod
    def from_env(cls, variables: Mapping[str, str], *, scenario: str = "throughput", mode: Mode | None = None) -> Self:
        """Read and check every setting; the scenario's defaults stand behind the variables. Raises SettingError.

        `mode` given wins over SERIAL_PROJECTION, and a STRATEGY of the other mode is refused.
        """
        chosen = scenarios.load(scenario)
        given = {name: value for name, value in variables.items() if value.strip()}
        env = Environment({**chosen.defaults, **given})
        shared.SERIAL_PROJECTION.read(env)
        settings = cls(
            scenario=scenario,
            strategy=strategies.read(env, serial=None if mode is None else mode == "serial"),
            database_url=postgres_url.read(env, "DATABASE_URL"),
            base_url=_base_url(env),
            api_port=env.integer("API_PORT", 0, low=0, high=65535) or None,
            api_processes=shared.API_PROCESSES.read(env),
            projectors=shared.PROJECTORS.read(env),
            users=shared.VUS.read(env),
            duration_s=shared.DURATION.read(env),
            warmup_s=shared.WARMUP.read(env),
            write_ratio=shared.WRITE_RATIO.read(env),
            think_time_ms=shared.THINK_TIME_MS.read(env),
            convergence_max_s=shared.CONVERGENCE_MAX.read(env),
            seed=shared.SEED.read(env),
            rate=shared.RATE.optional(env),
            handler_latency_ms=shared.HANDLER_LATENCY_MS.read(env),
            streams_in_flight=shared.STREAMS_IN_FLIGHT.read(env),
            others=passed_on(given),
            influx=Target.from_env(env),
        )
        settings._check_together()
        return settings

    @property
    def mode(self) -> Mode:
        """`serial` for the global order."""
        return "serial" if strategies.is_serial(self.strategy) else "parallel"

    def _check_together(self) -> None:
        if self.rate is not None and self.scenario not in OPEN_LOOP:
            raise SettingError(
                "RATE", spelled(self.rate), f"no value with scenario {self.scenario}: it is a closed loop"
            )
        if self.base_url is not None and self.database_url is None:
            raise SettingError(
                "BASE_URL", self.base_url, "DATABASE_URL beside it, so that the oracle can read that stack's store"
            )

    def without_observation(self) -> Self:
        """The same without tracing and log level, which are not told to a system that somebody else runs."""
        others = {name: value for name, value in self.others.items() if not name.startswith(OBSERVATION)}
        return replace(self, others=others)

    def environment(self) -> dict[str, str]:
        """The variables that the processes of the run are given, addresses left out."""
        values: dict[Any, Any] = {
            shared.SERIAL_PROJECTION: self.mode == "serial",
            shared.API_PROCESSES: self.api_processes,
            shared.HANDLER_LATENCY_MS: self.handler_latency_ms,
            shared.STREAMS_IN_FLIGHT: self.streams_in_flight,
            shared.SCENARIO: self.scenario,
            shared.VUS: self.users,
            shared.DURATION: self.duration_s,
            shared.WARMUP: self.warmup_s,
            shared.WRITE_RATIO: self.write_ratio,
            shared.THINK_TIME_MS: self.think_time_ms,
            shared.CONVERGENCE_MAX: self.convergence_max_s,
            shared.SEED: self.seed,
            shared.RATE: self.rate,
        }
        told = {setting.name: setting.spell(value) for setting, value in values.items()}
        return {**told, strategies.NAME: self.strategy, **self.others}

    def recorded(self) -> dict[str, Any]:
        """The settings as a result carries them: by variable name, secrets stripped."""
        addresses = {
            "DATABASE_URL": shown("DATABASE_URL", self.database_url) if self.database_url else "embedded",
            "BASE_URL": shown("BASE_URL", self.base_url) if self.base_url else "embedded",
            "PROJECTORS": self.projectors,
        }
        values = {name: value for name, value in self.environment().items() if name != "SCENARIO"}
        hidden = {name: shown(name, value) for name, value in values.items()}
        return {**addresses, **{name: _plain(value) for name, value in hidden.items()}}


def _plain(value: str) -> Any:
    if value == "":
        return None
    if value in ("true", "false"):
        return value == "true"
    if re.fullmatch(r"-?\d+", value):
        return int(value)
    return float(value) if re.fullmatch(r"-?\d+\.\d+", value) else value


def _base_url(env: Environment) -> str | None:
    url = env.optional("BASE_URL")
    return None if url is None else http_root("BASE_URL", url)
