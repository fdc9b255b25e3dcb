"""An upgrade that projectors of the former version would spoil waits until none works, and refuses by name."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import migrations
from migrations import stopped
from migrations.__main__ import main, migrate
from migrations.stopped import AtWork
from migrations.turn import turn
from tests.cluster import Cluster
from tests.looks import between_looks

FORMER = "0008"
REGISTER = (
    "INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until)"
    " VALUES ($1, 'parallel', now(), now(), clock_timestamp() + $2 ::text ::interval)"
)
RETIRE = "UPDATE projectors SET alive_until = clock_timestamp() WHERE holder = $1"
A_TODO = """
INSERT INTO todos (id, text, created_at, updated_at, version, deleted) VALUES ('t', 'milk', now(), now(), 2, false);
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ('t', 1, 2, 2, 'p', 1, now())
"""
REVISION = "SELECT version_num FROM alembic_version"
WAITS = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = $1 ::regclass"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopped, "TIMEOUT_S", 0.1)


async def fetched(connection: asyncpg.Connection, statement: str, *arguments: object) -> object:
    """The first value as soon as there is one."""
    async with asyncio.timeout(20):
        # Another connection makes it true, so there is no event to wait for.
        pauses = between_looks()
        while (found := await connection.fetchval(statement, *arguments)) is None:  # noqa: ASYNC110
            await asyncio.sleep(next(pauses))
    return found


@pytest.mark.parametrize("revision", ["0002", FORMER])
async def test_it_is_refused_while_a_projector_is_at_work(cluster: Cluster, impatient: None, revision: str) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", revision)
        connection = await asyncpg.connect(url)
        await connection.execute(REGISTER, "dead", "-1 second")
        await connection.execute(REGISTER, "busy", "1 hour")
        with pytest.raises(AtWork, match=r"are at work, .*: busy \(alive until \d\d:\d\d:\d\d UTC\); stop them"):
            await migrate(url)
        assert await connection.fetchval(REVISION) == revision

        await connection.execute(RETIRE, "busy")
        await migrate(url)
        assert await connection.fetchval(REVISION) > FORMER
        await connection.close()


async def test_it_waits_for_one_that_ends(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", FORMER)
        connection = await asyncpg.connect(url)
        await connection.execute(A_TODO)
        await connection.execute(REGISTER, "ending", "1 hour")
        said = ""
        upgrading = asyncio.create_task(migrate(url))
        async with asyncio.timeout(20):
            while "waiting for projectors to stop: ending" not in said:
                assert not upgrading.done()
                await asyncio.sleep(0.01)
                said += capsys.readouterr().err
        await connection.execute(RETIRE, "ending")
        await upgrading
        assert await connection.fetchval("SELECT applied FROM todos") == 2
        await connection.close()


async def test_one_that_may_not_work_is_not_waited_for(cluster: Cluster, impatient: None) -> None:
    """One of the new version waits for this very upgrade."""
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", FORMER)
        connection = await asyncpg.connect(url)
        await connection.execute(REGISTER, "early", "1 hour")
        await connection.execute("UPDATE projectors SET waiting = 'the schema is at revision 0008'")
        await migrate(url)
        await connection.close()


async def test_nobody_is_waited_for_where_nothing_is_to_be_done(cluster: Cluster, impatient: None) -> None:
    async with cluster.database() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(REGISTER, "busy", "1 hour")
        await migrate(url)
        await migrate(url, "current")
        with pytest.raises(AtWork, match="busy"):
            await migrate(url, "downgrade", FORMER)
        await connection.close()


async def test_none_registers_until_it_is_done_and_readers_go_on(cluster: Cluster) -> None:
    async with cluster.database() as url:
        connection = await asyncpg.connect(url, server_settings={"lock_timeout": "50ms"})
        async with turn(url) as migrating:
            await stopped.stopped(migrating)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await connection.execute(REGISTER, "new", "1 hour")
            assert await connection.fetchval("SELECT count(*) FROM projectors") == 0
        await connection.execute(REGISTER, "new", "1 hour")
        await connection.close()


async def test_one_that_registers_before_the_lock_is_had_can_end(cluster: Cluster) -> None:
    """Found under the lock, it is waited for without the lock, which it needs to say that it ended."""
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", FORMER)
        first, other = await asyncpg.connect(url), await asyncpg.connect(url)
        beginning = first.transaction()
        await beginning.start()
        await first.execute(REGISTER, "late", "1 hour")
        upgrading = asyncio.create_task(migrate(url))
        await fetched(other, WAITS, "projectors")
        await beginning.commit()
        await first.execute(RETIRE, "late")
        await upgrading
        await first.close()
        await other.close()


async def test_the_audit_is_read_before_the_todos_are_locked(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", FORMER)
        audit, reader = await asyncpg.connect(url), await asyncpg.connect(url)
        await audit.execute("BEGIN; LOCK TABLE projection_audit")
        upgrading = asyncio.create_task(migrate(url))
        pid = await fetched(reader, WAITS, "projection_audit")
        held = "SELECT mode FROM pg_locks WHERE pid = $1 AND relation = 'todos' ::regclass"
        assert await reader.fetch(held, pid) == []
        await audit.execute("ROLLBACK")
        await upgrading
        await audit.close()
        await reader.close()


def test_a_refusal_is_one_line(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], impatient: None
) -> None:
    url = cluster.create(migrated=False)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["migrations", "upgrade", FORMER])
    assert main() == 0
    added = "INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until) VALUES"
    each = "('p{}', 'parallel', now(), now(), now() + '1 hour')"
    cluster.server.execute(f"{added} {', '.join(map(each.format, range(5)))}", url.rpartition("/")[2])
    monkeypatch.setattr(sys, "argv", ["migrations", "upgrade"])
    capsys.readouterr()
    assert main() == 1
    waiting, refused = capsys.readouterr().err.splitlines()
    assert waiting.startswith("waiting for projectors to stop: p0 (alive until ")
    assert refused.startswith("DATABASE_URL: the migration failed: projectors are at work")
    assert " and 2 more; stop them, run it again, " in refused


def test_each_new_revision_says_whether_projectors_have_to_be_stopped() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    every = {script.revision: script.module for script in ScriptDirectory.from_config(config).walk_revisions()}
    silent = [name for name, module in every.items() if name > FORMER and not hasattr(module, "PROJECTORS_STOPPED")]
    assert silent == []
    assert every["0009"].PROJECTORS_STOPPED is True
