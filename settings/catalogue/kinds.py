"""Kinds of settings: what an entry of the catalogue says, and how its value is read and spelled.

An entry is the one place of a variable's name, type, default and bounds. Reading raises SettingError, whose text names
the variable, the value and what is allowed; `spell` gives the text that `read` reads back as the same value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from settings import plugins
from settings.addresses import http, postgres_url
from settings.environment import Environment, SettingError, plain, spelled, spelled_seconds
from settings.hiding import is_secret

Reader = Literal["api", "projector", "loadgen", "loadgen-worker", "migrate", "roles", "doctor", "bench", "stack"]
"""Who reads a variable: a process by its service in compose.yaml, the doctor, the bench, or compose.yaml itself."""

SERVICES: Final[tuple[Reader, ...]] = ("api", "projector", "loadgen")
"""The processes of a run, which take a user's value through the bench and through compose.yaml."""

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """One environment variable. `unset` says in words what happens without it, where it has no default.

    `handed_on`: whether the bench gives a user's value to the services as it is; unless told, it does so with what it
    does not read itself. `stack`: the services to which compose.yaml passes a user's value on; unless told, to all that
    read it. `acts`: two runs that differ in it differ in what was measured. `lead`: it is in README's table.
    `shown`: it is in `.env.example`; what is not is a standard of others that we only heed. `example`: what it shows
    there, where that is not the default.
    """

    name: str
    meaning: str
    readers: tuple[Reader, ...] = field(kw_only=True)
    unset: str = field(default="", kw_only=True)
    handed_on: bool | None = field(default=None, kw_only=True)
    stack: tuple[Reader, ...] | None = field(default=None, kw_only=True)
    acts: bool = field(default=True, kw_only=True)
    lead: bool = field(default=False, kw_only=True)
    shown: bool = field(default=True, kw_only=True)
    example: str | None = field(default=None, kw_only=True)

    @property
    def secret(self) -> bool:
        """Whether its value is never shown."""
        return is_secret(self.name)

    @property
    def passes_the_bench(self) -> bool:
        """Whether the bench passes a user's value on to the services."""
        if self.handed_on is not None:
            return self.handed_on
        return "bench" not in self.readers and any(reader in SERVICES for reader in self.readers)

    def passes_the_stack(self, service: Reader) -> bool:
        """Whether compose.yaml passes a user's value on to this service."""
        return service in (self.readers if self.stack is None else self.stack)

    def given(self, env: Environment, read: Callable[[Environment], T]) -> T | None:
        """What `read` makes of the value, None when it is unset or empty."""
        return read(env) if env.optional(self.name) else None

    def read(self, env: Environment) -> Any:
        """The value, the default when unset. Raises SettingError."""
        raise NotImplementedError

    def spell(self, value: Any) -> str:
        """The value as text that `read` reads back."""
        return spelled(value)

    @property
    def written(self) -> str:
        """The default as a user would write it; empty where there is none."""
        default = getattr(self, "default", None)
        return "" if default is None else spelled(default)

    @property
    def allowed(self) -> str:
        """What a value may be, in words; empty where the meaning says it."""
        return ""


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
class Plugin(Setting):
    """One of the kinds that a package has, or somebody else's module by its dotted path; it may be unset."""

    package: str = field(kw_only=True)

    def read(self, env: Environment) -> str:
        """The name. Raises SettingError for a module that is not there, also when unset."""
        return plugins.check(self.name, self.package, env.text(self.name, None, expected="a name"))

    def optional(self, env: Environment) -> str | None:
        """The name, None when unset. Raises SettingError."""
        return self.given(env, self.read)

    @property
    def allowed(self) -> str:
        """The names that come with us."""
        return ", ".join((*plugins.offered(self.package), "or the dotted path of a module"))


@dataclass(frozen=True)
class Modules(Setting):
    """Names of modules of one package, or dotted paths of somebody else's, separated by commas: at least `needed`."""

    default: tuple[str, ...]
    package: str
    needed: str

    def read(self, env: Environment) -> tuple[str, ...]:
        """The names, each once; the default when unset. Raises SettingError."""
        text = env.text(self.name, ",".join(self.default))
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        if self.needed not in names:
            raise SettingError(self.name, text, f"{self.needed} among them")
        return tuple(plugins.check(self.name, self.package, name) for name in names)

    def spell(self, value: tuple[str, ...]) -> str:
        """The names with commas."""
        return ",".join(value)

    @property
    def written(self) -> str:
        """The default as a user would write it."""
        return self.spell(self.default)

    @property
    def allowed(self) -> str:
        """The names that there are."""
        return ", ".join(plugins.offered(self.package))


@dataclass(frozen=True)
class Text(Setting):
    """Any text; `default` None: it may be unset."""

    default: str | None = None
    expected: str = field(default="a value", kw_only=True)

    def read(self, env: Environment) -> str:
        """The value, the default when unset. Raises SettingError, also when unset without a default."""
        return env.text(self.name, self.default, expected=self.expected)

    def optional(self, env: Environment) -> str | None:
        """The value, the default, or None. Raises SettingError for a value that can not be used."""
        return None if self.default is None and env.optional(self.name) is None else self.read(env)


@dataclass(frozen=True)
class StackSecret(Text):
    """A secret without which compose.yaml starts nothing; `task up` makes one up where there is none.

    `lasting`: a volume keeps the one that it was made with.
    """

    # Its value is part of other values there.
    stack: tuple[Reader, ...] | None = field(default=(), kw_only=True)
    lasting: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class HostAndPort(Text):
    """Where a socket is, as host:port."""

    def read(self, env: Environment) -> str:
        """The value, the default when unset. Raises SettingError."""
        return env.host_and_port(self.name, self.default) or super().read(env)


@dataclass(frozen=True)
class ServiceRoot(Text):
    """The address of an HTTP service without a path."""

    def read(self, env: Environment) -> str:
        """The value without its last slash. Raises SettingError."""
        return http.http_root(self.name, super().read(env))


@dataclass(frozen=True)
class ServiceAddress(Text):
    """The address of an HTTP service, perhaps below a path."""

    def read(self, env: Environment) -> str:
        """The value without its last slash. Raises SettingError."""
        return http.http_address(self.name, super().read(env))


@dataclass(frozen=True)
class Database(Text):
    """A libpq URI of a Postgres server."""

    def read(self, env: Environment) -> str:
        """The value. Raises SettingError, which shows nothing of it, also when it is unset."""
        return postgres_url.required(env, self.name)
