"""The settings of a whole run: every variable is checked here, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, Self

from bench.preflight import asked
from metrics.target import Target
from settings import Environment, SettingError, strategies
from settings.catalogue import api, database, load, observation, projection
from settings.catalogue.kinds import Setting
from settings.catalogue.projection import HandlerKind, Strategy
from settings.hiding import shown
from settings.scenarios import reader, rules
from settings.scenarios.scenario import Scenario
from settings.targets import fit
from settings.targets.document import Mode
from settings.targets.manifest import Manifest

OBSERVATION: Final = ("OTEL_", observation.LOG_LEVEL.name)


@dataclass(frozen=True)
class Settings:
    """One run. None means unset: an embedded Postgres, a system of our own, a free port, the closed loop.

    `strategy` and `handler` are NOT_TOLD of a target that is not ours; `told_mode` is then its mode, else None. `notes`
    are what a person is told before the run. `further_urls`: the databases of the other shards of a system at BASE_URL.
    """

    scenario: Scenario
    target: Manifest
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
    hold_s: float
    convergence_max_s: float
    seed: int
    rate: float | None
    skew: float
    handler: HandlerKind | Literal["not told"]
    read_models: tuple[str, ...]
    handler_latency_ms: float
    streams_in_flight: int
    sample_resources: bool
    others: Mapping[str, str]
    influx: Target | None = None
    platform: str | None = None
    told_mode: Mode | None = None
    notes: tuple[str, ...] = ()
    shards: int = 1
    further_urls: tuple[str, ...] = ()

    @classmethod
    def from_env(
        cls,
        variables: Mapping[str, str],
        *,
        scenario: str = reader.DEFAULT,
        mode: Mode | None = None,
        defaults: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Read and check every setting; the scenario's defaults stand behind the variables. Raises SettingError.

        `scenario` is a shipped name or the path of a file. `defaults` stand between both: what a command takes where
        nobody says otherwise.

        `mode` given wins over SERIAL_PROJECTION, and a STRATEGY of the other mode is refused.
        """
        chosen = reader.load(scenario)
        given = {name: value for name, value in variables.items() if value.strip()}
        known = {**chosen.settings, **defaults, **given}
        env = Environment(known)
        projection.SERIAL_PROJECTION.read(env)
        base_url = load.BASE_URL.given(env, load.BASE_URL.read)
        urls = asked.stores(env, base_url)
        target = fit.chosen(env, proof_elsewhere="store" if urls else "read-back")
        settings = cls(
            scenario=chosen,
            target=target,
            **asked.projection_of(target, env, given, mode),
            database_url=urls[0] if urls else None,
            further_urls=urls[1:],
            base_url=base_url,
            api_port=api.API_PORT.optional(env),
            api_processes=api.API_PROCESSES.read(env),
            users=load.VUS.read(env),
            duration_s=load.DURATION.read(env),
            warmup_s=load.WARMUP.read(env),
            write_ratio=load.WRITE_RATIO.read(env),
            think_time_ms=load.THINK_TIME_MS.read(env),
            hold_s=load.HOLD.read(env),
            convergence_max_s=load.CONVERGENCE_MAX.read(env),
            seed=load.SEED.read(env),
            rate=load.RATE.optional(env),
            skew=load.SKEW.read(env),
            read_models=projection.READ_MODELS.read(env),
            handler_latency_ms=projection.HANDLER_LATENCY_MS.read(env),
            streams_in_flight=projection.STREAMS_IN_FLIGHT.read(env),
            sample_resources=observation.SAMPLE_RESOURCES.read(env),
            others=asked.handed_on(target, known),
            influx=Target.from_env(env),
            platform=load.PLATFORM.optional(env),
            shards=asked.shards(env, urls),
        )
        settings._check_combined()
        return replace(settings, target=asked.of_shards(target, settings.shards))

    @property
    def mode(self) -> Mode:
        """`serial` for the global order."""
        return self.told_mode or self._mode_of_strategy

    @property
    def _mode_of_strategy(self) -> Mode:
        return "serial" if strategies.is_serial(self.strategy) else "parallel"

    @property
    def database_urls(self) -> tuple[str, ...]:
        """The address of each shard that somebody gave, in their order; empty where the run starts them."""
        return () if self.database_url is None else (self.database_url, *self.further_urls)

    @property
    def ordering(self) -> str:
        """By what it is told from other settings: the strategy of ours, and any other target's name."""
        return self.strategy if self.target.ours else self.target.name

    @property
    def timed_s(self) -> float:
        """The most seconds that all phases before the convergence last, but for what a hold waits before it begins."""
        return self.warmup_s + self.duration_s + self.scenario.extra_s + self.hold_s

    def _check_combined(self) -> None:
        if self.platform is not None and self.base_url is not None:
            raise SettingError(load.PLATFORM.name, self.platform, f"no value with {load.BASE_URL.name}")
        if self.rate is not None and not self.scenario.open_loop:
            expected = f"no value with scenario {self.scenario.name}: it is a closed loop"
            raise SettingError(load.RATE.name, load.RATE.spell(self.rate), expected)
        rules.check_skew(self.skew, self.scenario)
        if self.platform is not None and not self.target.ours:
            expected = f"no value with {load.TARGET.name}={self.target.name}: only our own system is run there"
            raise SettingError(load.PLATFORM.name, self.platform, expected)
        given = None if self.further_urls else self.base_url or self.database_url
        asked.check_shards(self.target, self.shards, given)
        if self.base_url is None and self.database_url is not None and not self.target.ours:
            expected = (
                f"no value with {load.TARGET.name}={self.target.name}: a server is started for it, if it needs one"
            )
            raise SettingError(database.DATABASE_URL.name, self.database_url, expected)

    def with_projectors(self, count: int, *, name: str = projection.PROJECTORS.name) -> Self:
        """The same with so many projectors. Raises SettingError that names `name` where the target has fewer."""
        if self.base_url is None and count > self.target.most_projectors:
            raise fit.too_many(self.target, name, count)
        return replace(self, projectors=count)

    def without_observation(self) -> Self:
        """The same without tracing and log level, which are not told to a system that somebody else runs."""
        others = {name: value for name, value in self.others.items() if not name.startswith(OBSERVATION)}
        return replace(self, others=others)

    def environment(self) -> dict[str, str]:
        """The variables that the processes of the run are given, addresses left out."""
        values: dict[Setting, Any] = {
            load.TARGET: self.target.name,
            projection.SERIAL_PROJECTION: self.mode == "serial",
            projection.STRATEGY: self.strategy,
            api.API_PROCESSES: self.api_processes,
            projection.HANDLER: self.handler,
            projection.READ_MODELS: self.read_models,
            projection.HANDLER_LATENCY_MS: self.handler_latency_ms,
            projection.STREAMS_IN_FLIGHT: self.streams_in_flight,
            load.VUS: self.users,
            load.DURATION: self.duration_s,
            load.WARMUP: self.warmup_s,
            load.WRITE_RATIO: self.write_ratio,
            load.THINK_TIME_MS: self.think_time_ms,
            load.HOLD: self.hold_s,
            load.CONVERGENCE_MAX: self.convergence_max_s,
            load.SEED: self.seed,
            load.RATE: self.rate,
            load.SKEW: self.skew,
        }
        acting = {setting: value for setting, value in values.items() if self.target.ours or setting not in fit.OURS}
        told = {setting.name: setting.spell(value) for setting, value in acting.items()}
        return {**told, **self.scenario.variables(), **self.others}

    def recorded(self) -> dict[str, Any]:
        """The settings as a result carries them: by variable name, secrets stripped."""
        told = self.environment()
        values = {name: value for name, value in told.items() if name not in self.scenario.variables()}
        return {
            database.DATABASE_URL.name: _place(database.DATABASE_URL, self.database_url),
            load.BASE_URL.name: _place(load.BASE_URL, self.base_url),
            projection.PROJECTORS.name: self.projectors,
            **({database.SHARDS.name: self.shards} if self.shards > 1 else {}),
            observation.SAMPLE_RESOURCES.name: self.sample_resources,
            **{name: _plain(shown(name, value)) for name, value in values.items()},
            **self.scenario.digest_of_own(),
        }


def _plain(value: str) -> Any:
    if value == "":
        return None
    if value in ("true", "false"):
        return value == "true"
    if re.fullmatch(r"-?\d+", value):
        return int(value)
    return float(value) if re.fullmatch(r"-?\d+\.\d+", value) else value


def _place(setting: Setting, address: str | None) -> str:
    return shown(setting.name, address) if address else "embedded"
