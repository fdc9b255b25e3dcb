"""A real PgBouncer before a test's server: Debian's, found on PATH or fetched once into `.tools`."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench.platforms.postgres.binaries import find_identity
from bench.platforms.postgres.cluster import USER, Cluster, free_port
from eventstore.connection.planner import ROLES
from tests.cluster import PASSWORD
from tests.debian import fetched, on_path

PATIENCE_S: Final = 20.0

INI: Final = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
query_wait_timeout = 10
"""


@dataclass(frozen=True)
class Bouncer:
    """A running pooler."""

    port: int

    def url(self, url: str) -> str:
        """The same database and login, through the pooler."""
        place, _, database = url.rpartition("/")
        return f"{place.rpartition(':')[0]}:{self.port}/{database}"


def _program() -> tuple[str, dict[str, str]]:
    if found := on_path("pgbouncer"):
        return str(found), {}
    kept = fetched("pgbouncer", "pgbouncer", "libc-ares2", "libevent-2.1-7")
    libraries = sorted({str(path.parent) for path in kept.rglob("*.so.*")})
    return str(kept / "usr" / "sbin" / "pgbouncer"), {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}


@contextmanager
def pgbouncer(server: Cluster, mode: Literal["session", "transaction"], *, size: int = 3) -> Iterator[Bouncer]:
    """Start one with `size` connections to the server for each database and login; gone at the end of the block."""
    users = {**dict.fromkeys(ROLES, PASSWORD), USER: server.password}
    with by(
        server, INI.format(server=server.port, port="{port}", users="{users}", mode=mode, size=size), users
    ) as found:
        yield found


@contextmanager
def by(server: Cluster, ini: str, users: Mapping[str, str]) -> Iterator[Bouncer]:
    """Start one by its configuration, in which `{port}` and `{users}` stand for where it listens and who logs in."""
    program, environment = _program()
    identity = find_identity(server.binaries)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tidemark-pooler-") as name:
        folder = Path(name)
        listed = folder / "users"
        listed.write_text("".join(f'"{user}" "{password}"\n' for user, password in users.items()))
        told = folder / "pooler.ini"
        told.write_text(ini.format(port=port, users=listed))
        identity.own(folder, listed, told)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*identity.prefix, program, str(told)],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=folder,
                user=identity.uid,
                group=identity.gid,
            )
        try:
            _wait(process, port, folder / "log")
            yield Bouncer(port)
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())
