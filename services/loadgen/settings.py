"""Settings of the load generator, read once from the environment and from the scenario's defaults."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

from metrics.target import Target
from settings import UNSET, Environment, SettingError
from settings.catalogue import load, projection
from settings.catalogue.kinds import Duration, Setting, Words
from settings.hiding import shown
from settings.scenarios import reader, rules
from settings.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Settings:
    """What one run does. `rate` None is the closed loop; otherwise arrivals a second of the open loop.

    `influx` None: no InfluxDB is told. `run_id` None: a name is made up. `workers` have the users, if there are any;
    they are started here unless `listen` says where they come to.
    """

    base_url: str = load.BASE_URL.read(UNSET)
    scenario: Scenario = field(default_factory=reader.load)
    users: int = load.VUS.read(UNSET)
    duration_s: float = load.DURATION.read(UNSET)
    write_ratio: float = load.WRITE_RATIO.read(UNSET)
    think_time_ms: float = load.THINK_TIME_MS.read(UNSET)
    convergence_max_s: float = load.CONVERGENCE_MAX.read(UNSET)
    silence_max_s: float = load.SILENCE_MAX.read(UNSET)
    warmup_s: float = load.WARMUP.read(UNSET)
    seed: int = load.SEED.read(UNSET)
    rate: float | None = load.RATE.optional(UNSET)
    results_dir: Path = Path(load.RESULTS_DIR.read(UNSET))
    run_id: str | None = None
    influx: Target | None = None
    workers: int = load.LOADGEN_WORKERS.read(UNSET)
    listen: str | None = None
    skew: float = load.SKEW.read(UNSET)
    serial: bool = projection.SERIAL_PROJECTION.read(UNSET)
    target: str = load.TARGET.read(UNSET)
    capabilities: tuple[str, ...] = load.TARGET_CAPABILITIES.read(UNSET)
    hold_s: float = field(default_factory=lambda: load.HOLD.read(Environment(reader.load().settings)))

    @classmethod
    def from_env(cls, variables: Mapping[str, str]) -> Self:
        """Read the variables; an unset or empty one takes the scenario's default, or else its own.

        Raises SettingError.
        """
        scenario = reader.told(variables)
        unset = {name: told for name, told in scenario.settings.items() if not variables.get(name, "").strip()}
        env = Environment(ChainMap(unset, cast(MutableMapping[str, str], variables)))
        settings = cls(
            base_url=load.BASE_URL.read(env),
            scenario=scenario,
            users=load.VUS.read(env),
            duration_s=load.DURATION.read(env),
            write_ratio=load.WRITE_RATIO.read(env),
            think_time_ms=load.THINK_TIME_MS.read(env),
            convergence_max_s=load.CONVERGENCE_MAX.read(env),
            silence_max_s=load.SILENCE_MAX.read(env),
            warmup_s=load.WARMUP.read(env),
            seed=load.SEED.read(env),
            rate=load.RATE.optional(env),
            skew=load.SKEW.read(env),
            serial=projection.SERIAL_PROJECTION.read(env),
            target=load.TARGET.read(env),
            capabilities=load.TARGET_CAPABILITIES.read(env),
            hold_s=load.HOLD.read(env),
            results_dir=Path(load.RESULTS_DIR.read(env)),
            run_id=load.RUN_ID.optional(env),
            influx=Target.from_env(env),
            workers=load.LOADGEN_WORKERS.read(env),
            listen=load.LOADGEN_LISTEN.optional(env),
        )
        if settings.rate is not None and not scenario.open_loop:
            expected = f"no value with SCENARIO={scenario.name}: it is a closed loop"
            raise SettingError(load.RATE.name, load.RATE.spell(settings.rate), expected)
        rules.check_skew(settings.skew, scenario)
        return settings

    def offers(self, capability: str) -> bool:
        """Whether the target offers something beyond the required calls."""
        return capability in self.capabilities

    def told(self) -> dict[str, str]:
        """The variables that make a worker's run like this one."""
        values = {setting: value for setting, value in self._values().items() if value is not None}
        told = {setting.name: setting.spell(value) for setting, value in values.items()}
        return {**told, load.RUN_ID.name: self.run_id or "", **self.scenario.variables()}

    def as_used(self) -> dict[str, Any]:
        """The settings under their variable names, as a result carries them; without a password in the address."""
        values = {
            setting.name: setting.spell(value) if isinstance(setting, Duration | Words) else value
            for setting, value in self._values().items()
        }
        address = {load.BASE_URL.name: shown(load.BASE_URL.name, self.base_url)}
        return {**values, **address, **self.scenario.digest_of_own()}

    def _values(self) -> dict[Setting, Any]:
        return {
            load.BASE_URL: self.base_url,
            load.SCENARIO: self.scenario.name,
            load.VUS: self.users,
            load.DURATION: self.duration_s,
            load.WRITE_RATIO: self.write_ratio,
            load.THINK_TIME_MS: self.think_time_ms,
            load.HOLD: self.hold_s,
            load.CONVERGENCE_MAX: self.convergence_max_s,
            load.SILENCE_MAX: self.silence_max_s,
            load.WARMUP: self.warmup_s,
            load.SEED: self.seed,
            load.RATE: self.rate,
            load.SKEW: self.skew,
            load.TARGET: self.target,
            projection.SERIAL_PROJECTION: self.serial,
            load.TARGET_CAPABILITIES: self.capabilities,
            load.LOADGEN_WORKERS: self.workers,
        }
