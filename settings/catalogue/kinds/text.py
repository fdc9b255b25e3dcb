"""Texts: free ones, secrets, and addresses that are checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from settings.addresses import http, postgres_url
from settings.catalogue.kinds.setting import Reader, Setting
from settings.environment import Environment, SettingError


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


MOST_SHARDS: Final = 64


@dataclass(frozen=True)
class Databases(Setting):
    """libpq URIs of Postgres servers, with blanks between."""

    def read(self, env: Environment) -> tuple[str, ...]:
        """The addresses in their order. Raises SettingError, which shows nothing of them, also when it is unset."""
        urls = tuple(env.text(self.name, expected=postgres_url.EXPECTED).split())
        for number, url in enumerate(urls):
            try:
                postgres_url.parse(url)
            except ValueError as error:
                raise SettingError(self.name, "…", f"as address {number}: {_expected(error)}") from None
        if len(set(urls)) != len(urls) or len(urls) > MOST_SHARDS:
            raise SettingError(self.name, "…", f"at most {MOST_SHARDS} addresses, and none of them twice")
        return urls

    def optional(self, env: Environment) -> tuple[str, ...] | None:
        """The addresses, None when unset. Raises SettingError."""
        return self.given(env, self.read)


def _expected(error: ValueError) -> str:
    return str(error).removeprefix("expected ")


@dataclass(frozen=True)
class Database(Text):
    """A libpq URI of a Postgres server."""

    def read(self, env: Environment) -> str:
        """The value. Raises SettingError, which shows nothing of it, also when it is unset."""
        return postgres_url.required(env, self.name)
