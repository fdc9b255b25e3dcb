"""An entry of the catalogue: what every kind says of its variable, and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from settings.environment import Environment, spelled
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
