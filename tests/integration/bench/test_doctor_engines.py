"""The table of engines: each row that is tried here, on that server; other engines by what they say of themselves."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from bench.platforms.postgres.binaries import find_identity
from bench.platforms.postgres.cluster import free_port
from eventstore.connection.address import parse_url
from metrics.records.doctor import WRITES
from services.doctor.document import Examination
from services.doctor.engines import ENGINE, ENGINES, Engine, row
from services.doctor.examine import examine
from settings import strategies
from settings.children import POSTGRES
from tests.cluster import SETTINGS, Cluster
from tests.pgbouncer import pgbouncer

STARTED_WITHIN_S: Final = 30.0
Addresses = tuple[str, str | None]
"""DATABASE_URL and LISTEN_URL."""
Build = Callable[[Cluster], AbstractContextManager[Addresses]]


def before_the_catalogue(cluster: Cluster, *statements: str, migrated: bool = False) -> str:
    """A database in which a schema stands before `pg_catalog`, so that what is in it answers instead."""
    url = cluster.create(migrated=migrated)
    name = url.rpartition("/")[2]
    path = f'ALTER DATABASE "{name}" SET search_path = said, pg_catalog, public'
    for statement in ("CREATE SCHEMA said", *statements, path):
        cluster.server.execute(statement, name)
    return url


def saying(version: str) -> Build:
    @contextmanager
    def build(cluster: Cluster) -> Iterator[Addresses]:
        function = f"CREATE FUNCTION said.version() RETURNS text LANGUAGE sql RETURN '{version}'"
        yield before_the_catalogue(cluster, function), None

    return build


@contextmanager
def plain(cluster: Cluster) -> Iterator[Addresses]:
    yield cluster.create(), None


@contextmanager
def replica(_: Cluster) -> Iterator[Addresses]:
    """A base backup of a server of its own, which it follows by streaming replication."""
    with Cluster.throwaway() as primary, tempfile.TemporaryDirectory(prefix="tidemark-standby-") as folder:
        url = primary.create()
        server, port = primary.server, free_port()
        identity = find_identity(server.binaries)
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        identity.own(Path(folder), data)

        def begin(program: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*identity.prefix, server.binaries.program(program), *arguments],
                env=POSTGRES.environment(variables),
                cwd=folder,
                user=identity.uid,
                group=identity.gid,
            )

        source = ["--host=127.0.0.1", f"--port={server.port}", "--username=tidemark", "--checkpoint=fast"]
        copied = begin(
            "pg_basebackup", *source, "--write-recovery-conf", f"--pgdata={data}", PGPASSWORD=server.password
        )
        assert copied.wait(60) == 0
        as_there = {name: SETTINGS[name] for name in ("max_connections", "max_prepared_transactions")}
        told = {**as_there, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)}
        standby = begin("postgres", "-D", str(data), *(f"--{name}={value}" for name, value in told.items()))
        try:
            there = url.replace(f":{server.port}/", f":{port}/")
            asyncio.run(streaming(there, url))
            yield there, None
        finally:
            standby.terminate()
            standby.wait(60)


async def streaming(standby: str, primary: str) -> None:
    """Wait until the standby takes connections and has all that the primary has written."""
    deadline = time.monotonic() + STARTED_WITHIN_S
    source = await asyncpg.connect(primary)
    written = await source.fetchval("SELECT pg_current_wal_lsn()")
    await source.close()
    while time.monotonic() < deadline:
        try:
            connection = await asyncpg.connect(standby)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.05)
            continue
        try:
            if await connection.fetchval("SELECT pg_last_wal_receive_lsn() >= $1", written):
                return
        finally:
            await connection.close()
    raise AssertionError("the standby follows nobody")


@contextmanager
def read_only(cluster: Cluster) -> Iterator[Addresses]:
    url = cluster.create()
    cluster.server.execute(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET default_transaction_read_only = on')
    yield url, None


@contextmanager
def session(cluster: Cluster) -> Iterator[Addresses]:
    with pgbouncer(cluster.server, "session") as bouncer:
        yield bouncer.url(cluster.create()), None


@contextmanager
def transaction(cluster: Cluster) -> Iterator[Addresses]:
    with pgbouncer(cluster.server, "transaction") as bouncer:
        yield bouncer.url(cluster.create()), None


@contextmanager
def beside(cluster: Cluster) -> Iterator[Addresses]:
    with pgbouncer(cluster.server, "transaction") as bouncer:
        url = cluster.create()
        yield bouncer.url(url), url


@contextmanager
def hidden(cluster: Cluster) -> Iterator[Addresses]:
    view = "CREATE VIEW said.pg_locks AS SELECT * FROM pg_catalog.pg_locks WHERE locktype <> 'advisory'"
    yield before_the_catalogue(cluster, view, migrated=True), None


@contextmanager
def cached(cluster: Cluster) -> Iterator[Addresses]:
    url = cluster.create()
    cluster.server.execute("ALTER SEQUENCE events_position_seq CACHE 20", url.rpartition("/")[2])
    yield url, None


@contextmanager
def citus(cluster: Cluster) -> Iterator[Addresses]:
    view = "CREATE VIEW said.pg_extension AS SELECT '13.2-1' AS extversion, 'citus' AS extname"
    yield before_the_catalogue(cluster, view), None


BUILT: Final[dict[str, Build]] = {
    "PostgreSQL 18": plain,
    "hot standby": replica,
    "read-only sessions": read_only,
    "PgBouncer, session mode": session,
    "PgBouncer, transaction mode, `LISTEN_URL` beside it": beside,
    "PgBouncer, transaction mode alone": transaction,
    "`pg_locks` without the announcements of others": hidden,
    "a sequence of positions with a cache": cached,
    "Citus": citus,
    "YugabyteDB": saying("PostgreSQL 15.12-YB-2025.1.0.0-b168 on x86_64-pc-linux-gnu, compiled by clang 17, 64-bit"),
    "CockroachDB": saying("CockroachDB CCL v25.4.1 (x86_64-pc-linux-gnu, built 2025/11/17 17:39:11, go1.25)"),
    "Aurora DSQL": saying("PostgreSQL 16"),
    "any other engine": saying("Spanner 1.0"),
}
ON_THEIR_OWN: Final = {"PostgreSQL 15", "PostgreSQL 16, 17"}
"""No such server can be had here."""


def examined(url: str, listen: str | None = None) -> Examination:
    return asyncio.run(examine(parse_url(url), parse_url(listen) if listen else None))


@pytest.mark.parametrize("one", ENGINES, ids=lambda one: one.name)
def test_a_row_is_what_the_doctor_says_there(one: Engine, cluster: Cluster) -> None:
    if one.name in ON_THEIR_OWN:
        assert {one.serial, one.parallel} & {"tested here", "refused"} == set()
        return
    with BUILT[one.name](cluster) as (url, listen):
        found = examined(url, listen)
    document = found.document()
    assert one.name in document.engines, document.facts
    for strategy in document.strategies:
        assert strategy.sound == (one.stand(strategy.name) != "refused"), strategy
        assert strategy.sound or strategy.why
    refused = one.stand(strategies.IN_PARALLEL) == "refused"
    told = [fact.name for fact in document.facts]
    assert (WRITES in told) == (one.serial == "refused" and not refused)
    assert found.code == (2 if refused else 1)


def test_another_engine_is_asked_nothing_else(cluster: Cluster) -> None:
    with BUILT["CockroachDB"](cluster) as (url, _):
        found = examined(url)
    assert [one.name for one in found.facts] == [ENGINE]
    assert {strategy.why for strategy in found.strategies} == {f"{found.facts[0].value}: {row('CockroachDB').why}"}


def test_a_statement_that_is_refused_is_what_was_found(cluster: Cluster) -> None:
    url = before_the_catalogue(cluster, "CREATE VIEW said.pg_settings AS SELECT 'fsync' AS name", migrated=True)
    found = examined(url)
    assert found.code == 2
    assert all("column" in strategy.why for strategy in found.strategies)
