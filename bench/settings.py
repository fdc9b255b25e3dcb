"""The settings of a whole run: every variable is checked here, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from bench import scenarios
from bench.passed_on import passed_on
from metrics.target import Target
from settings import Environment, SettingError

Mode = Literal["serial", "parallel"]

SECRET: Final = re.compile(r"TOKEN|PASSWORD|SECRET|KEY")
OPEN_LOOP: Final = ("throughput", "reads")


@dataclass(frozen=True)
class Settings:
    """One run. None means unset: an embedded Postgres, a stack of our own, a free port, the closed loop."""

    scenario: str
    mode: Mode
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

        `mode` given wins over SERIAL_PROJECTION.
        """
        chosen = scenarios.load(scenario)
        given = {name: value for name, value in variables.items() if value.strip()}
        env = Environment({**chosen.defaults, **given})
        serial = env.flag("SERIAL_PROJECTION", False)
        settings = cls(
            scenario=scenario,
            mode=mode or ("serial" if serial else "parallel"),
            database_url=_database_url(env),
            base_url=_base_url(env),
            api_port=env.integer("API_PORT", 0, low=0, high=65535) or None,
            api_processes=env.integer("API_PROCESSES", 1, low=1, high=64),
            projectors=env.integer("PROJECTORS", 1, low=1, high=64),
            users=env.integer("VUS", 100, low=1, high=100_000),
            duration_s=env.duration("DURATION", "30s", low=1, high=86_400),
            warmup_s=env.duration("WARMUP", "3s", low=0, high=3600),
            write_ratio=env.number("WRITE_RATIO", 0.5, low=0, high=1),
            think_time_ms=env.number("THINK_TIME_MS", 100, low=0, high=3_600_000),
            convergence_max_s=env.duration("CONVERGENCE_MAX", "60s", low=1, high=86_400),
            seed=env.integer("SEED", 1, low=0, high=2**53),
            rate=env.number("RATE", 0, low=0.1, high=1_000_000) if env.optional("RATE") else None,
            handler_latency_ms=env.number("HANDLER_LATENCY_MS", 0, low=0, high=60_000),
            streams_in_flight=env.integer("STREAMS_IN_FLIGHT", 500, low=1, high=10_000),
            others=passed_on(given),
            influx=Target.from_env(env),
        )
        settings._check_together()
        return settings

    def _check_together(self) -> None:
        if self.rate is not None and self.scenario not in OPEN_LOOP:
            raise SettingError("RATE", f"{self.rate:g}", f"no value with scenario {self.scenario}: it is a closed loop")
        if self.base_url is not None and self.database_url is None:
            raise SettingError(
                "BASE_URL", self.base_url, "DATABASE_URL beside it, so that the oracle can read that stack's store"
            )

    def environment(self) -> dict[str, str]:
        """The variables that the processes of the run are given, addresses left out."""
        values = {
            "SERIAL_PROJECTION": "true" if self.mode == "serial" else "false",
            "API_PROCESSES": str(self.api_processes),
            "HANDLER_LATENCY_MS": f"{self.handler_latency_ms:g}",
            "STREAMS_IN_FLIGHT": str(self.streams_in_flight),
            "SCENARIO": self.scenario,
            "VUS": str(self.users),
            "DURATION": f"{self.duration_s:g}s",
            "WARMUP": f"{self.warmup_s:g}s",
            "WRITE_RATIO": f"{self.write_ratio:g}",
            "THINK_TIME_MS": f"{self.think_time_ms:g}",
            "CONVERGENCE_MAX": f"{self.convergence_max_s:g}s",
            "SEED": str(self.seed),
            "RATE": "" if self.rate is None else f"{self.rate:g}",
        }
        return {**values, **self.others}

    def recorded(self) -> dict[str, Any]:
        """The settings as a result carries them: by variable name, secrets stripped."""
        addresses = {
            "DATABASE_URL": strip_secrets(self.database_url) if self.database_url else "embedded",
            "BASE_URL": strip_secrets(self.base_url) if self.base_url else "embedded",
            "PROJECTORS": self.projectors,
        }
        values = {name: value for name, value in self.environment().items() if name != "SCENARIO"}
        hidden = {name: "***" if SECRET.search(name) else strip_secrets(value) for name, value in values.items()}
        return {**addresses, **{name: _plain(value) for name, value in hidden.items()}}


def strip_secrets(text: str) -> str:
    """The text without what stands between `//` and `@` in any address, and without password parameters."""
    text = re.sub(r"//[^/@\s]*@", "//***@", text)
    return re.sub(r"((?:password|token)=)[^&\s]+", r"\1***", text, flags=re.IGNORECASE)


def _plain(value: str) -> Any:
    if value == "":
        return None
    if value in ("true", "false"):
        return value == "true"
    if re.fullmatch(r"-?\d+", value):
        return int(value)
    return float(value) if re.fullmatch(r"-?\d+\.\d+", value) else value


def _database_url(env: Environment) -> str | None:
    url = env.optional("DATABASE_URL")
    if url is None:
        return None
    expected = "postgresql://user:password@host:port/database, or nothing for an embedded Postgres"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("postgres", "postgresql") and parts.path.strip("/") != "" and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingError("DATABASE_URL", strip_secrets(url), expected)
    return url


def _base_url(env: Environment) -> str | None:
    url = env.optional("BASE_URL")
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingError("BASE_URL", strip_secrets(url), "an address such as http://127.0.0.1:8000")
    return url.rstrip("/")
