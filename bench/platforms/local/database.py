"""The database of a run on this machine: that of DATABASE_URL, or of a throw-away server; with our roles, if ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.ends.guardian import Guardian
from bench.oracle.database import closed
from bench.platforms.local.parts import Server
from bench.platforms.postgres.cluster import Cluster
from bench.platforms.postgres.logins import Logins, addresses
from bench.platforms.preparation import environment, reach
from bench.platforms.processes import Processes
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Postgres
from settings.addresses import postgres_url

MIGRATION_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True)
class Database:
    """Addresses, what `postgres.json` says of the server, and the server where the run has started it.

    `plain` is the owner's address as any client reads it. `further` are those of the other shards.
    """

    logins: Logins
    plain: str
    postgres: Postgres
    server: Server | None
    further: tuple[Database, ...] = ()

    @property
    def shards(self) -> tuple[Database, ...]:
        """Those of all shards, in their order."""
        return (self, *self.further)

    @property
    def servers(self) -> list[Server]:
        """Those that the run has started."""
        return [one.server for one in self.shards if one.server is not None]


def open_database(settings: Settings, log: Path, opened: ExitStack, progress: Progress) -> Database | None:
    """Reach the database of DATABASE_URL, or start a server that `opened` stops; None for a target without Postgres.

    Raises SetupError, RunFailed.
    """
    if settings.target.store != "postgres":
        return None
    if settings.database_url is not None:
        progress.step("connecting to the database of DATABASE_URL")
        for word in postgres_url.parse(settings.database_url).told:
            progress.step(f"note: DATABASE_URL: {word}")
        told = reach(settings.database_url, source="DATABASE_URL", profile="given")
        return Database(Logins.given(settings.database_url), settings.database_url, told, None)
    progress.step("starting Postgres" if settings.shards == 1 else f"starting {settings.shards} Postgres servers")
    first = _started(settings, log, opened, "postgres")
    passwords = first.logins.passwords
    names = [f"postgres-{number}" for number in range(1, settings.shards)]
    return replace(first, further=tuple(_started(settings, log, opened, name, passwords) for name in names))


def _started(
    settings: Settings, log: Path, opened: ExitStack, name: str, passwords: Mapping[str, str] | None = None
) -> Database:
    file = log / f"{name}.log"
    cluster = opened.enter_context(Cluster.throwaway("durable", log=file))
    plain = cluster.create_database(settings.target.key)
    url = closed(plain)
    told = reach(url, source=cluster.binaries.source, profile=cluster.profile)
    logins = Logins.made(url, passwords) if settings.target.ours else Logins.given(url)
    return Database(logins, plain, told, Server(cluster, file, name))


def with_roles(logins: Logins) -> tuple[str, ...]:
    """What makes our migration make our roles on a server of the run's own; on any other they are somebody's affair.

    It is given their passwords.
    """
    return ("--roles",) if logins.passwords else ()


@contextmanager
def prepared(settings: Settings, log: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """The environment in which a database can be examined: that of DATABASE_URL as it is, or a new one, migrated."""
    with ExitStack() as opened:
        if settings.database_url is not None:
            yield environment(settings, DATABASE_URL=settings.database_url)
            return
        database = open_database(settings, log, opened, progress)
        assert database is not None
        processes = Processes(log, opened.enter_context(Guardian()))
        opened.callback(processes.stop)
        progress.step("migrating")
        env = environment(settings, **addresses([one.logins.owner for one in database.shards]))
        command = ["-m", "migrations", "upgrade", *with_roles(database.logins)]
        processes.run("migrations", command, {**env, **database.logins.passwords}, MIGRATION_TIMEOUT_S)
        yield env
