"""Names of modules: a strategy, read models; those of a folder, or anybody else's by dotted path."""

from __future__ import annotations

from dataclasses import dataclass, field

from settings import plugins
from settings.catalogue.kinds.setting import Setting
from settings.environment import Environment, SettingError


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
