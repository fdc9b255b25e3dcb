"""The environment of a child process: an allow list, with one entry for each kind of child.

A child is given what it needs to start, what its kind may read of the user's own environment, and what it is told by
name. Nothing else passes, so a proxy, a libpq default, a Locust or a Git setting of the machine changes no run.
"""

from __future__ import annotations

import os
import site
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from settings import catalogue, tracing
from settings.catalogue.kinds import Reader
from settings.environment import Environment

START: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
"""Where programs, their libraries and their temporary files are."""

TLS: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Whose certificates Python trusts."""

LIBPQ: Final = (
    *("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGPASSFILE", "PGTARGETSESSIONATTRS"),
    *("PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLCRL"),
    *("PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION", "PGKRBSRVNAME", "PGGSSLIB"),
)
"""What the driver takes from the environment where an address does not say it."""

GIVEN_DATABASE: Final = ("HOME", "KRB5CCNAME", "KRB5_CONFIG", *LIBPQ)
"""For clients of a server that the user names: reached in the user's way, ~/.pgpass and ~/.postgresql included."""

PROXIES: Final = tuple(
    spelled for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for spelled in (name, name.upper())
)

NOWHERE: Final = "/nonexistent"
"""A home where nobody has any files, as Debian gives it to `nobody`."""


@dataclass(frozen=True)
class Child:
    """One kind of child. `passes`: variables of this process that it is given; a name that ends in `*` is a prefix.

    `fixed`: what they are where none passes.
    """

    passes: tuple[str, ...] = START
    fixed: Mapping[str, str] = field(default_factory=lambda: {"HOME": NOWHERE})

    def also(self, *names: str) -> Self:
        """The same kind, given these variables too."""
        return replace(self, passes=(*self.passes, *names))

    def reading(self, *readers: Reader) -> Self:
        """The same kind, given the settings that these processes read."""
        return self.also(*(name for reader in readers for name in catalogue.names(reader)))

    def environment(
        self, told: Mapping[str, str] | None = None, *, ambient: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The whole environment of one child; `told` stands above all else. `ambient` stands in for this process's."""
        given = os.environ if ambient is None else ambient
        passed = {name: value for name, value in given.items() if self._passes(name)}
        return {**self.fixed, **passed, **(told or {})}

    def _passes(self, name: str) -> bool:
        return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in self.passes)


PROGRAM: Final = Child()
"""Any program that needs nothing of the user."""

_PACKAGES: Final = {"PYTHONUSERBASE": site.getuserbase()} if site.ENABLE_USER_SITE else {}
"""Packages that this process finds in its user's home, where it finds any."""

PYTHON: Final = Child((*START, *TLS), {"HOME": NOWHERE, "PYTHONUNBUFFERED": "1", **_PACKAGES})
"""Our own services, commands and programs. What Python itself reads (PYTHON*) stays behind, so they run as shipped."""

LOCUST: Final = PYTHON
"""Locust, which reads LOCUST_*, ~/.locust.conf, and locust.conf and pyproject.toml where it is started."""

LOCUST_FOLDER: Final = Path("/")
"""Where it is started: no project has its files there."""

POSTGRES: Final = Child(fixed={"HOME": NOWHERE, "LC_ALL": "C"})
"""`initdb` and `postgres` of a throw-away cluster."""

GIT: Final = Child(
    fixed={
        **{"HOME": NOWHERE, "LC_ALL": "C"},
        **{"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_OPTIONAL_LOCKS": "0"},
    }
)
"""Git, asked about one tree: no repository, index or configuration of somebody else."""

DOCKER: Final = Child(
    (
        *START,
        *("HOME", "USER", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "TERM", "COLUMNS", "NO_COLOR"),
        *("DOCKER_*", "COMPOSE_*", "BUILDKIT_*", "BUILDX_*"),
    ),
    {},
)
"""Docker and Compose: which engine, which project, how to get there."""

KUBECTL: Final = Child(
    (
        *(*START, *TLS, *PROXIES, "HOME", "USER", "XDG_CACHE_HOME", "KUBECONFIG", "KUBERNETES_*"),
        *("AWS_*", "AZURE_*", "CLOUDSDK_*", "GOOGLE_*", "USE_GKE_GCLOUD_AUTH_PLUGIN", "SSH_AUTH_SOCK"),
    ),
    {},
)
"""kubectl, and the programs by which its user proves to a cloud who he is."""

INSTALLER: Final = Child(
    (*START, *TLS, *PROXIES, "HOME", "PIP_*", "NPM_CONFIG_*", "npm_config_*", "NODE_EXTRA_CA_CERTS"), {}
)
"""pip and npm, which fetch from outside in the user's way."""


def handed_on(given: Mapping[str, str]) -> dict[str, str]:
    """Those of these settings that the bench gives to the services as it was given them. Raises SettingError."""
    env = Environment(given)
    passing = [setting for setting in catalogue.every() if setting.passes_the_bench and env.optional(setting.name)]
    return {setting.name: setting.spell(setting.read(env)) for setting in passing} | tracing.variables_of(given)
