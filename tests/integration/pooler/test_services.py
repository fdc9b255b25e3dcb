"""The services behind PgBouncer: what works, and what is refused by name."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from bench.oracle.verify import verify
from migrations.__main__ import migrate
from tests.cluster import Cluster, as_role
from tests.integration.api.server import ROOT, ApiServer, serve, until
from tests.integration.projector.process import environment
from tests.pgbouncer import Bouncer

ANOTHER = "postgresql://nobody@127.0.0.1:1/nowhere"


def projector(url: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """A projector's process, whose words are kept."""
    return subprocess.Popen(
        [sys.executable, "-m", "services.projector", *arguments],
        cwd=ROOT,
        env=environment(url, **variables),
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(url: str, **variables: str) -> str:
    """The one line of a projector that does not begin."""
    process = projector(url, **variables)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    return err.splitlines()[-1]


def work(api: ApiServer) -> None:
    """Write and change some todos at once, and wait until all is projected."""
    places = [f"/todos/{api.create(f'todo {number}')}" for number in range(20)]
    for place in places:
        assert api.client.put(place, json={"text": "changed"}).status_code == 200
    until(lambda: api.stats()["backlog"] == 0, "the projection")
    assert all(api.client.get(place).json()["text"] == "changed" for place in places)


@pytest.mark.parametrize("serial", ["true", "false"])
@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_api_and_projector_work(
    url: str, mode: str, serial: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bouncer: Bouncer = request.getfixturevalue(mode)
    # Looking for work by itself comes too late here: what is projected in time was heard of.
    told = {"SERIAL_PROJECTION": serial, "POLL_MS": "60000"}
    if mode == "transaction":
        told["LISTEN_URL"] = as_role("projector", url)
    process = projector(bouncer.url(as_role("projector", url)), **told)
    try:
        with serve(bouncer.url(url), tmp_path) as api:
            await asyncio.to_thread(work, api)
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "not heard" not in said
    verification, _ = await verify(bouncer.url(as_role("oracle", url)), complete=True, serial=serial == "true")
    assert verification.offenders == []
    assert verification.correctness.events_checked == 40


def test_a_job_works_in_transaction_mode(url: str, transaction: Bouncer, tmp_path: Path) -> None:
    with serve(url, tmp_path) as api:
        for number in range(5):
            api.create(f"todo {number}")
        job = projector(transaction.url(as_role("projector", url)), "--once", LISTEN_URL=as_role("projector", url))
        assert job.wait(60) == 0
        assert api.stats()["backlog"] == 0


def test_in_transaction_mode_a_projector_needs_to_know_where_to_listen(url: str, transaction: Bouncer) -> None:
    line = refusal(transaction.url(as_role("projector", url)))
    assert line.startswith("LISTEN_URL='' is not usable: expected postgresql://")
    assert "transaction mode" in line


def pooled(url: str, transaction: Bouncer, cluster: Cluster) -> str:
    return transaction.url(url)


def other_database(url: str, transaction: Bouncer, cluster: Cluster) -> str:
    return as_role("projector", cluster.create())


def nobody(url: str, transaction: Bouncer, cluster: Cluster) -> str:
    return ANOTHER


@pytest.mark.parametrize(
    ("where", "said"),
    [(pooled, "this one leads through a pooler"), (other_database, "this is another one"), (nobody, "that answers")],
)
def test_a_place_where_nothing_would_be_heard_is_refused(
    cluster: Cluster,
    url: str,
    transaction: Bouncer,
    where: Callable[[str, Bouncer, Cluster], str],
    said: str,
) -> None:
    role = as_role("projector", url)
    line = refusal(transaction.url(role), LISTEN_URL=where(role, transaction, cluster))
    assert line.startswith("LISTEN_URL=")
    assert said in line
    assert "of-a-role" not in line


async def test_migrations_through_a_pooler_leave_nothing_in_its_sessions(
    cluster: Cluster, transaction: Bouncer
) -> None:
    """Session locks were left there: the next migrator waited for a minute, and was told no name (S8)."""
    url = cluster.create(migrated=False)
    await migrate(transaction.url(url))
    watcher = await asyncpg.connect(url)
    left = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database"
    assert await watcher.fetchval(f"{left} WHERE datname = current_database())") == 0
    pool = await asyncpg.connect(transaction.url(url), statement_cache_size=0)
    assert await pool.fetchval("SHOW lock_timeout") == await watcher.fetchval("SHOW lock_timeout")
    assert await pool.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
    await asyncio.gather(*(migrate(address) for address in (url, transaction.url(url))))
    for connection in (watcher, pool):
        await connection.close()


def test_the_migrations_command_and_the_roles_work_through_it(cluster: Cluster, transaction: Bouncer) -> None:
    url = transaction.url(cluster.create(migrated=False))
    for action in ("upgrade", "roles"):
        done = subprocess.run(
            [sys.executable, "-m", "migrations", action],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": f"{url}?channel_binding=prefer"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "note: DATABASE_URL: channel_binding is left out: " in done.stderr


def test_what_a_pooler_does_not_take_is_named(url: str, transaction: Bouncer) -> None:
    line = refusal(f"{transaction.url(as_role('projector', url))}?statement_timeout=1000")
    assert line.startswith("DATABASE_URL: ")
    assert "statement_timeout" in line
