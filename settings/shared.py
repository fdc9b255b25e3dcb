"""The settings that more than one process reads: name, default and bounds of each, in one place.

The bench refuses by the same entry that a child reads by, and hands its value on in the form that `spell` gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from settings.environment import Environment
from settings.spelling import spelled, spelled_seconds


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`."""

    name: str
    default: int
    low: int
    high: int

    def read(self, env: Environment) -> int:
        """The value, the default when unset. Raises SettingError."""
        return env.integer(self.name, self.default, low=self.low, high=self.high)

    def spell(self, value: int) -> str:
        """The value as text that `read` reads back."""
        return spelled(value)


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`; `default` None: it may be unset."""

    name: str
    default: float | None
    low: float
    high: float

    def read(self, env: Environment) -> float:
        """The value, the default when unset. Raises SettingError, also when unset without a default."""
        return env.number(self.name, self.default, low=self.low, high=self.high)

    def optional(self, env: Environment) -> float | None:
        """The value, None when unset. Raises SettingError."""
        return self.read(env) if env.optional(self.name) else None

    def spell(self, value: float | None) -> str:
        """The value as text that `read` reads back."""
        return spelled(value)


@dataclass(frozen=True)
class Duration:
    """Seconds from `low` to `high`, written with a unit."""

    name: str
    default: str
    low: float
    high: float

    def read(self, env: Environment) -> float:
        """The value in seconds, the default when unset. Raises SettingError."""
        return env.duration(self.name, self.default, low=self.low, high=self.high)

    def spell(self, value: float) -> str:
        """The value as text that `read` reads back."""
        return spelled_seconds(value)


@dataclass(frozen=True)
class Flag:
    """true or false."""

    name: str
    default: bool

    def read(self, env: Environment) -> bool:
        """The value, the default when unset. Raises SettingError."""
        return env.flag(self.name, self.default)

    def spell(self, value: bool) -> str:
        """The value as text that `read` reads back."""
        return spelled(value)


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    name: str
    default: str
    allowed: tuple[str, ...]

    def read(self, env: Environment) -> str:
        """The value, the default when unset. Raises SettingError."""
        return env.choice(self.name, self.default, self.allowed)

    def spell(self, value: str) -> str:
        """The value as text that `read` reads back."""
        return spelled(value)


Shared = Integer | Number | Duration | Flag | Choice

SERIAL_PROJECTION: Final = Flag("SERIAL_PROJECTION", False)
PROJECTORS: Final = Integer("PROJECTORS", 1, 1, 64)
API_PROCESSES: Final = Integer("API_PROCESSES", 1, 1, 64)
API_POOL_SIZE: Final = Integer("API_POOL_SIZE", 8, 1, 100)
STREAMS_IN_FLIGHT: Final = Integer("STREAMS_IN_FLIGHT", 500, 1, 10_000)
HANDLER_LATENCY_MS: Final = Number("HANDLER_LATENCY_MS", 0.0, 0, 60_000)
LEASE_SECONDS: Final = Number("LEASE_SECONDS", 5.0, 0.5, 3600)
POLL_MS: Final = Number("POLL_MS", 2000.0, 1, 60_000)
LINGER_MS: Final = Number("LINGER_MS", 5.0, 0, 1000)
RETRY_ATTEMPTS: Final = Integer("RETRY_ATTEMPTS", 5, 1, 100)
VISIBILITY: Final = Choice("VISIBILITY", "watermark", ("watermark", "naive"))
LOG_LEVEL: Final = Choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error"))
STORE_TIMEOUT_MS: Final = Number("STORE_TIMEOUT_MS", 10_000.0, 100, 600_000)
STORE_CONNECT_TIMEOUT_MS: Final = Number("STORE_CONNECT_TIMEOUT_MS", 3000.0, 100, 60_000)
LISTEN_HEARTBEAT_MS: Final = Number("LISTEN_HEARTBEAT_MS", 5000.0, 100, 600_000)
SCENARIO: Final = Choice("SCENARIO", "throughput", ("throughput", "actions", "reads", "scaling", "combined"))
VUS: Final = Integer("VUS", 100, 1, 100_000)
DURATION: Final = Duration("DURATION", "30s", 0.5, 86_400)
WARMUP: Final = Duration("WARMUP", "3s", 0, 3600)
WRITE_RATIO: Final = Number("WRITE_RATIO", 0.5, 0, 1)
THINK_TIME_MS: Final = Number("THINK_TIME_MS", 100.0, 0, 3_600_000)
CONVERGENCE_MAX: Final = Duration("CONVERGENCE_MAX", "60s", 0.5, 86_400)
SEED: Final = Integer("SEED", 1, 0, 2**53)
RATE: Final = Number("RATE", None, 0.1, 1_000_000)
LOADGEN_WORKERS: Final = Integer("LOADGEN_WORKERS", 0, 0, 64)


def shared() -> Iterator[Shared]:
    """Every setting of this module."""
    return (value for value in globals().values() if isinstance(value, Shared))
