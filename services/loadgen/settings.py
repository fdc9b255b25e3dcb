"""The load generator's settings, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

from metrics.target import NAMES as INFLUX
from metrics.target import Target
from settings import Environment, SettingError, shared
from settings.addresses.http import http_root
from settings.hiding import shown
from settings.spelling import spelled, spelled_seconds

ScenarioName = Literal["throughput", "actions", "reads", "scaling", "combined"]
OPEN_LOOP_SCENARIOS = ("throughput", "reads")
NAMES: Final = (
    *("BASE_URL", "SCENARIO", "VUS", "DURATION", "WRITE_RATIO", "THINK_TIME_MS", "CONVERGENCE_MAX", "WARMUP", "SEED"),
    *("RATE", "RESULTS_DIR", "RUN_ID", "LOADGEN_WORKERS", "LOADGEN_LISTEN", "GRAFANA_URL", *INFLUX),
)
"""The variables that are read here: what the processes of a run have in common."""


@dataclass(frozen=True)
class Settings:
    """What one run does. `rate` None is the closed loop; otherwise arrivals a second of the open loop.

    `influx` None: no InfluxDB is told. `run_id` None: a name is made up. `workers` have the users, if there are any;
    they are started here unless `listen` says where they come to.
    """

    base_url: str = "http://127.0.0.1:8000"
    scenario: ScenarioName = "throughput"
    users: int = 100
    duration_s: float = 30.0
    write_ratio: float = 0.5
    think_time_ms: float = 100.0
    convergence_max_s: float = 60.0
    warmup_s: float = 3.0
    seed: int = 1
    rate: float | None = None
    results_dir: Path = Path("results/loadgen")
    run_id: str | None = None
    influx: Target | None = None
    workers: int = 0
    listen: str | None = None

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> Self:
        """Read the variables; an unset or empty one takes its default. Raises SettingError for a bad one."""
        env = Environment(variables)
        settings = cls(
            base_url=http_root("BASE_URL", env.text("BASE_URL", cls.base_url)),
            scenario=cast(ScenarioName, shared.SCENARIO.read(env)),
            users=shared.VUS.read(env),
            duration_s=shared.DURATION.read(env),
            write_ratio=shared.WRITE_RATIO.read(env),
            think_time_ms=shared.THINK_TIME_MS.read(env),
            convergence_max_s=shared.CONVERGENCE_MAX.read(env),
            warmup_s=shared.WARMUP.read(env),
            seed=shared.SEED.read(env),
            rate=shared.RATE.optional(env),
            results_dir=Path(env.text("RESULTS_DIR", str(cls.results_dir))),
            run_id=env.optional("RUN_ID"),
            influx=Target.from_env(env),
            workers=shared.LOADGEN_WORKERS.read(env),
            listen=env.host_and_port("LOADGEN_LISTEN"),
        )
        if settings.rate is not None and settings.scenario not in OPEN_LOOP_SCENARIOS:
            expected = f"no value with SCENARIO={settings.scenario}: it is a closed loop"
            raise SettingError("RATE", spelled(settings.rate), expected)
        return settings

    def told(self) -> dict[str, str]:
        """The variables that make a worker's run like this one."""
        return {name: spelled(value) for name, value in self.as_used().items() if value is not None} | {
            "BASE_URL": self.base_url,
            "RUN_ID": self.run_id or "",
        }

    def as_used(self) -> dict[str, Any]:
        """The settings under their variable names, as a result carries them; without a password in the address."""
        return {
            "BASE_URL": shown("BASE_URL", self.base_url),
            "SCENARIO": self.scenario,
            "VUS": self.users,
            "DURATION": spelled_seconds(self.duration_s),
            "WRITE_RATIO": self.write_ratio,
            "THINK_TIME_MS": self.think_time_ms,
            "CONVERGENCE_MAX": spelled_seconds(self.convergence_max_s),
            "WARMUP": spelled_seconds(self.warmup_s),
            "SEED": self.seed,
            "RATE": self.rate,
            "LOADGEN_WORKERS": self.workers,
        }
