"""A throw-away Postgres cluster: on 127.0.0.1 only, behind a random password, gone with its data when it stops."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench.ends import sessions, signals
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.oracle.database import closed, connect
from bench.platforms.postgres.binaries import Binaries, Identity, find_binaries, find_identity
from settings import patience
from settings.children import POSTGRES

Profile = Literal["durable", "test"]

PROFILES: Final[Mapping[Profile, Mapping[str, str]]] = {
    "durable": {"fsync": "on", "synchronous_commit": "on"},
    # Loses data in a crash of the machine, so a report refuses to publish numbers that were measured with it.
    "test": {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
}
USER: Final = "tidemark"
INITDB_TIMEOUT_S: Final = 120.0
START_TIMEOUT_S: Final = 30.0
STOPS: Final = ((signal.SIGINT, patience.FAST_S), (signal.SIGQUIT, patience.IMMEDIATE_S))
"""Fast, then immediate shutdown, each with its time."""
PORT_TRIES: Final = 5


@dataclass(frozen=True)
class Cluster:
    """A running cluster. All settings are Postgres's defaults but the profile's and the address."""

    port: int
    password: str
    profile: Profile
    binaries: Binaries
    folder: Path
    process: subprocess.Popen[bytes]

    @classmethod
    @contextmanager
    def throwaway(
        cls, profile: Profile = "durable", *, settings: Mapping[str, str] | None = None, log: Path | None = None
    ) -> Iterator[Cluster]:
        """Start a new cluster; stop it and remove its data at the end of the block, and if this process is killed.

        Raises SetupError where Postgres can not be had, RunFailed (with the log's tail) where it does not start.
        """
        binaries = find_binaries()
        identity = find_identity(binaries)
        with signals.held():
            folder = Path(tempfile.mkdtemp(prefix="tidemark-postgres-"))
            guardian = Guardian()
            guardian.keep_clean(folder)
        with guardian:
            try:
                password = _initialize(binaries, identity, folder, profile)
                wanted = {**PROFILES[profile], **(settings or {})}
                process, port = _start(binaries, identity, folder, wanted, log or folder / "postgres.log", guardian)
                try:
                    yield cls(port, password, profile, binaries, folder, process)
                finally:
                    _stop(process, folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """The address of one database of the cluster, password included."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database and return its address. Nobody may be connected to the template meanwhile."""
        source = f' TEMPLATE "{template}"' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{source}')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database of this cluster, connections to it included."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside any transaction. Usable from inside a running event loop."""
        thread = ThreadPoolExecutor(1)
        try:
            thread.submit(asyncio.run, _execute(closed(self.url(database)), statement)).result()
        finally:
            # Who is interrupted here stops the server next, which ends what the thread waits for.
            thread.shutdown(wait=False)


async def _execute(url: str, statement: str) -> None:
    connection = await connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _initialize(binaries: Binaries, identity: Identity, folder: Path, profile: Profile) -> str:
    password = secrets.token_hex(16)
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    identity.own(folder, secret)
    command = [*identity.prefix, binaries.program("initdb"), "--pgdata", str(folder / "data")]
    command += ["--locale=C", "--encoding=UTF8", f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={secret}"]
    if profile == "test":
        command.append("--no-sync")
    try:
        done = ask(
            command,
            POSTGRES.environment(),
            within_s=INITDB_TIMEOUT_S,
            cwd=folder,
            user=identity.uid,
            group=identity.gid,
        )
    except NoAnswer as silence:
        raise RunFailed(f"initdb failed: {silence}") from None
    secret.unlink()
    if done.returncode != 0:
        raise RunFailed(
            "initdb failed: Postgres could not create its data folder", (done.stderr or done.stdout).strip()
        )
    return password


def _start(
    binaries: Binaries, identity: Identity, folder: Path, settings: Mapping[str, str], log: Path, guardian: Guardian
) -> tuple[subprocess.Popen[bytes], int]:
    for _ in range(PORT_TRIES):
        port = free_port()
        signals.check()
        with signals.held():
            process = _launch(binaries, identity, folder, {**settings, "port": str(port)}, log)
            guardian.watch(process.pid, signal.SIGQUIT)
        try:
            if _ready(process, folder):
                return process, port
        except BaseException:
            # Before its folder is gone: it has shared memory to give back.
            _stop(process, folder)
            raise
        _stop(process, folder)
        if "Address already in use" not in tail(log):
            break
    raise RunFailed("Postgres did not start", tail(log))


def _launch(
    binaries: Binaries, identity: Identity, folder: Path, settings: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    fixed = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    options = [f"--{name}={value}" for name, value in {**fixed, **settings}.items()]
    with log.open("ab") as stream:
        return subprocess.Popen(
            [*identity.prefix, binaries.program("postgres"), "-D", str(folder / "data"), *options],
            env=POSTGRES.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=folder,
            start_new_session=True,
            user=identity.uid,
            group=identity.gid,
        )


def _ready(process: subprocess.Popen[bytes], folder: Path) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            lines = (folder / "data" / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            if len(lines) >= 8 and lines[7].strip() == "ready":
                return True
        time.sleep(0.01)
    return False


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Nothing of the server is left when this returns; no signal breaks it off."""
    with signals.held():
        for sign, seconds in STOPS:
            if process.poll() is None:
                process.send_signal(sign)
                for stopped in sessions.members([process.pid]):
                    sessions.wake(stopped)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                break
        sessions.end({process.pid: signal.SIGKILL}, 0)
        process.wait()
        sessions.kill(sessions.working_in([folder]))


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file, empty if there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
