"""Numbers, durations, flags and words: values with bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from settings.catalogue.kinds.setting import Setting
from settings.environment import Environment, SettingError, plain, spelled_seconds

NONE_OF_THEM: Final = "none"


@dataclass(frozen=True)
class Integer(Setting):
    """A whole number from `low` to `high`."""

    default: int
    low: int
    high: int

    def read(self, env: Environment) -> int:
        """The value, the default when unset. Raises SettingError."""
        return env.integer(self.name, self.default, low=self.low, high=self.high)

    def optional(self, env: Environment) -> int | None:
        """The value, None when unset. Raises SettingError."""
        return self.given(env, self.read)

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"{self.low} to {self.high}"


@dataclass(frozen=True)
class Number(Setting):
    """A number from `low` to `high`; `default` None: it may be unset."""

    default: float | None
    low: float
    high: float

    def read(self, env: Environment) -> float:
        """The value, the default when unset. Raises SettingError, also when unset without a default."""
        return env.number(self.name, self.default, low=self.low, high=self.high)

    def optional(self, env: Environment) -> float | None:
        """The value, None when unset. Raises SettingError."""
        return self.given(env, self.read)

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"{plain(self.low)} to {plain(self.high)}"


@dataclass(frozen=True)
class Duration(Setting):
    """Seconds from `low` to `high`, written with a unit."""

    default: str
    low: float
    high: float

    def read(self, env: Environment) -> float:
        """The value in seconds, the default when unset. Raises SettingError."""
        return env.duration(self.name, self.default, low=self.low, high=self.high)

    def spell(self, value: float) -> str:
        """The value as text that `read` reads back."""
        return spelled_seconds(value)

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"{plain(self.low)} to {plain(self.high)} seconds, with a unit: 500ms, 30s, 2m"


@dataclass(frozen=True)
class Flag(Setting):
    """true or false."""

    default: bool

    def read(self, env: Environment) -> bool:
        """The value, the default when unset. Raises SettingError."""
        return env.flag(self.name, self.default)

    @property
    def allowed(self) -> str:
        """Both words."""
        return "true or false"


@dataclass(frozen=True)
class Choice(Setting):
    """One of some words; `default` None: it may be unset."""

    default: str | None
    choices: tuple[str, ...]

    def read(self, env: Environment) -> str:
        """The value, the default when unset. Raises SettingError, also when unset without a default."""
        return env.choice(self.name, self.default, self.choices)

    def optional(self, env: Environment) -> str | None:
        """The value, None when unset. Raises SettingError."""
        return self.given(env, self.read)

    @property
    def allowed(self) -> str:
        """The words."""
        return ", ".join(self.choices)


@dataclass(frozen=True)
class Words(Setting):
    """Some of a few words, separated by commas, or `none`."""

    default: tuple[str, ...]
    choices: tuple[str, ...]

    def read(self, env: Environment) -> tuple[str, ...]:
        """The words, each once, in their own order; the default when unset. Raises SettingError."""
        text = env.text(self.name, self.spell(self.default))
        words = {word.strip() for word in text.split(",")} - {NONE_OF_THEM}
        if not words <= set(self.choices):
            raise SettingError(self.name, text, self.allowed)
        return tuple(word for word in self.choices if word in words)

    def spell(self, value: tuple[str, ...]) -> str:
        """The words with commas."""
        return ",".join(value) or NONE_OF_THEM

    @property
    def written(self) -> str:
        """The default as a user would write it."""
        return self.spell(self.default)

    @property
    def allowed(self) -> str:
        """The words."""
        return f"some of {', '.join(self.choices)}, separated by commas, or {NONE_OF_THEM}"
