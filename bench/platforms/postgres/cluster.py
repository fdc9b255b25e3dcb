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
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from bench.ends import sessions, signals
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.oracle.database import closed, connect
from bench.platforms.postgres.binaries import Binaries, Identity, find_binaries, find_identity
from bench.platforms.postgres.disk import SmallDisk
from bench.platforms.processes import tail
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


class Cluster:
    """A running cluster. All settings are Postgres's defaults but the profile's and the address."""

    def __init__(self, password: str, profile: Profile, folder: Path, server: _Server, opened: ExitStack) -> None:
        self.password: Final = password
        self.profile: Final = profile
        self.folder: Final = folder
        self._server = server
        self._opened = opened

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
            guardian.keep_clean(folder, finishing="initdb")
        with guardian:
            try:
                password = _initialize(binaries, identity, folder, profile)
                wanted = {**PROFILES[profile], **(settings or {})}
                server = _Server(binaries, identity, folder, wanted, log or folder / "postgres.log", guardian)
                server.start_anywhere()
                with ExitStack() as opened:
                    try:
                        yield cls(password, profile, folder, server, opened)
                    finally:
                        server.stop(STOPS)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def binaries(self) -> Binaries:
        """The server's programs."""
        return self._server.binaries

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1; the same after a restart."""
        return self._server.port

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The postmaster."""
        return self._server.process

    def stop(self) -> None:
        """Fast shutdown; immediate when that takes too long."""
        self._server.stop(STOPS)

    def crash(self) -> None:
        """Immediate shutdown: no checkpoint, so that the next start recovers from the log."""
        self._server.stop(STOPS[1:])

    def start(self) -> None:
        """Start it again on its data and its port, where it does not run. Raises RunFailed."""
        self._server.start()

    def small_disk(self) -> SmallDisk:
        """A file system of its own in the cluster's folder, gone once the server has stopped. Raises SetupError."""
        return self._opened.enter_context(self._server.disk())

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
        # Broken off, it would leave the shared memory of the server that it runs; it takes a second or two.
        with signals.held():
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


class _Server:
    """The postmaster of one data folder, which may be stopped and started again."""

    def __init__(
        self,
        binaries: Binaries,
        identity: Identity,
        folder: Path,
        settings: Mapping[str, str],
        log: Path,
        guardian: Guardian,
    ) -> None:
        self.binaries: Final = binaries
        self.port = 0
        self.process: subprocess.Popen[bytes]
        self._identity = identity
        self._folder = folder
        self._settings = settings
        self._log = log
        self._guardian = guardian

    def start_anywhere(self) -> None:
        """Start it on a port that is free. Raises RunFailed."""
        for _ in range(PORT_TRIES):
            self.port = free_port()
            if self._started():
                return
            if "Address already in use" not in tail(self._log):
                break
        raise RunFailed("Postgres did not start", tail(self._log))

    def start(self) -> None:
        """Start it where it was. Raises RunFailed."""
        if self.process.poll() is not None and not self._started():
            raise RunFailed("Postgres did not start again", tail(self._log))

    def _started(self) -> bool:
        signals.check()
        with signals.held():
            self.process = self._launch()
            self._guardian.watch(self.process.pid, signal.SIGQUIT)
        try:
            if self._ready():
                return True
        except BaseException:
            # Before its folder is gone: it has shared memory to give back.
            self.stop(STOPS)
            raise
        self.stop(STOPS)
        return False

    def _launch(self) -> subprocess.Popen[bytes]:
        fixed = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        wanted = {**fixed, **self._settings, "port": str(self.port)}
        options = [f"--{name}={value}" for name, value in wanted.items()]
        with self._log.open("ab") as stream:
            return subprocess.Popen(
                [*self._identity.prefix, self.binaries.program("postgres"), "-D", str(self._data), *options],
                env=POSTGRES.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=self._folder,
                start_new_session=True,
                user=self._identity.uid,
                group=self._identity.gid,
            )

    def disk(self) -> AbstractContextManager[SmallDisk]:
        """A small file system that the server's user owns, beside its data."""
        return SmallDisk.mounted(self._folder / "disk", self._identity.own, self._guardian)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _ready(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._status() == "ready":
                return True
            time.sleep(0.01)
        return False

    def _status(self) -> str:
        """What the postmaster says of itself, empty while it has not written its file."""
        with suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            if len(lines) >= 8 and lines[0].strip() == str(self.process.pid):
                return lines[7].strip()
        return ""

    def stop(self, stops: Sequence[tuple[signal.Signals, float]]) -> None:
        """Nothing of the server is left when this returns; no signal breaks it off."""
        with signals.held():
            for sign, seconds in stops:
                if self.process.poll() is None:
                    self.process.send_signal(sign)
                    for stopped in sessions.members([self.process.pid]):
                        sessions.wake(stopped)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(seconds)
                    break
            sessions.end({self.process.pid: signal.SIGKILL}, 0)
            self.process.wait()
            sessions.kill(sessions.working_in([self._folder]))
            self._guardian.forget(self.process.pid)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
