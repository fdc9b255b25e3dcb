"""The database of a run on this machine: that of DATABASE_URL, or of a throw-away server, migrated, with its roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.ends.guardian import Guardian
from bench.oracle.database import closed
from bench.platforms.local.parts import Server
from bench.platforms.logins import Logins
from bench.platforms.postgres.cluster import Cluster
from bench.platforms.preparation import environment, reach
from bench.platforms.processes import Processes
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Postgres
from settings.addresses import postgres_url

MIGRATION_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True)
class Database:
    """Addresses, what `postgres.json` says of the server, and the server where the run has started it."""

    logins: Logins
    postgres: Postgres
    server: Server | None


def open_database(settings: Settings, log: Path, opened: ExitStack, progress: Progress) -> Database:
    """Reach the database of DATABASE_URL, or start a server that `opened` stops. Raises SetupError, RunFailed."""
    if settings.database_url is not None:
        progress.step("connecting to the database of DATABASE_URL")
        for word in postgres_url.parse(settings.database_url).told:
            progress.step(f"note: DATABASE_URL: {word}")
        told = reach(settings.database_url, source="DATABASE_URL", profile="given")
        return Database(Logins.given(settings.database_url), told, None)
    progress.step("starting Postgres")
    file = log / "postgres.log"
    cluster = opened.enter_context(Cluster.throwaway("durable", log=file))
    url = closed(cluster.create_database("tidemark"))
    told = reach(url, source=cluster.binaries.source, profile=cluster.profile)
    return Database(Logins.made(url), told, Server(cluster, file))


def migrate(settings: Settings, logins: Logins, processes: Processes, progress: Progress) -> None:
    """Bring the schema up to date, and make the roles of a server of our own."""
    progress.step("migrating")
    env = environment(settings, DATABASE_URL=logins.owner)
    processes.run("migrations", ["-m", "migrations", "upgrade"], env, MIGRATION_TIMEOUT_S)
    if logins.passwords:
        env |= logins.passwords
        processes.run("roles", ["-m", "migrations", "roles"], env, MIGRATION_TIMEOUT_S)


@contextmanager
def prepared(settings: Settings, log: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """The environment in which a database can be examined: that of DATABASE_URL as it is, or a new one, migrated."""
    with ExitStack() as opened:
        if settings.database_url is not None:
            yield environment(settings, DATABASE_URL=settings.database_url)
            return
        logins = open_database(settings, log, opened, progress).logins
        processes = Processes(log, opened.enter_context(Guardian()))
        opened.callback(processes.stop)
        migrate(settings, logins, processes, progress)
        yield environment(settings, DATABASE_URL=logins.owner)
