"""The migrations and the tables as Python knows them are the same, both ways, whoever starts them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from bench.platforms.postgres.cluster import free_port
from eventstore.schema import REVISION
from migrations import compared, metadata
from migrations.__main__ import main, migrate
from migrations.turn import Held
from tests.cluster import Cluster, as_role

# All that a database has in its schema, as Postgres itself words it.
EVERYTHING = """
SELECT 'table ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(array_to_string(c.reloptions, ','), '')
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
 UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || ' collation ' || coalesce((SELECT collname FROM pg_collation WHERE oid = a.attcollation), '-')
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' identity ' || a.attidentity::text
       || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-')
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
 UNION ALL
SELECT 'index ' || pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
 UNION ALL
SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
 UNION ALL
SELECT 'trigger ' || tgenabled::text || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
 UNION ALL
SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
 UNION ALL
SELECT 'sequence ' || sequencename || ' ' || concat_ws(' ', data_type, start_value, min_value, max_value, increment_by,
       cycle, cache_size)
  FROM pg_sequences WHERE schemaname = 'public'
"""


async def everything(url: str) -> list[str]:
    """The schema without Alembic's own table."""
    connection = await asyncpg.connect(url)
    try:
        rows = [row[0] for row in await connection.fetch(EVERYTHING)]
    finally:
        await connection.close()
    return sorted(row for row in rows if "alembic_version" not in row)


def create_all(connection: Connection) -> None:
    for one in metadata:
        one.create_all(connection)


def drop_all(connection: Connection) -> None:
    for one in metadata:
        one.drop_all(connection)


def difference(connection: Connection) -> object:
    """What Alembic would write into a next revision."""
    options = {"compare_type": True, "compare_server_default": True, "include_object": compared}
    context = MigrationContext.configure(connection, opts=options)
    # Each metadata alone would take the other's tables for tables to be dropped.
    joined = MetaData()
    for one in metadata:
        for table in one.sorted_tables:
            table.to_metadata(joined)
    return compare_metadata(context, joined)


async def run_sync(url: str, work: Callable[[Connection], object]) -> object:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_the_migrations_make_what_the_tables_say(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as created, cluster.database(migrated=False) as migrated:
        await run_sync(created, create_all)
        await migrate(migrated)

        wanted = await everything(created)
        assert await everything(migrated) == wanted
        assert sum(row.startswith("function ") for row in wanted) == 4
        assert sum(row.startswith("trigger ") for row in wanted) == 2
        assert await run_sync(migrated, difference) == []


async def test_a_downgrade_leaves_nothing_and_can_be_undone(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url)
        first = await everything(url)
        connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')")
        await connection.close()

        await migrate(url, "downgrade", "base")
        assert await everything(url) == []
        await migrate(url)
        assert await everything(url) == first


async def test_what_was_skipped_before_is_known_by_the_audit(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0009")
        connection = await asyncpg.connect(url)
        await connection.execute("""
INSERT INTO streams (stream, version, projected, pending_since)
VALUES ('none', 3, 3, NULL), ('two', 5, 5, NULL), ('all', 2, 1, now()), ('new', 1, 0, now());
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ('none', 1, 2, 2, 'p', 1, now()), ('none', 3, 3, 3, 'p', 1, now()),
       ('two', 1, 1, 4, 'p', 1, now()), ('two', 3, 4, 7, 'p', 1, now())
""")
        await migrate(url)
        found = await connection.fetch("SELECT stream, skipped FROM streams ORDER BY stream")
        assert [tuple(row) for row in found] == [("all", [1]), ("new", None), ("none", None), ("two", [2, 5])]
        await migrate(url, "downgrade", "0009")
        await connection.close()


async def test_a_projector_of_an_older_version_keeps_its_row_and_is_said_no_strategy_of(cluster: Cluster) -> None:
    """Up, and down again: what it counted stays, and what it worked by is not guessed."""
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0003")
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until, takeovers)"
            " VALUES ('old', 'parallel', now(), now(), now(), 7)"
        )
        await migrate(url)
        assert tuple(await connection.fetchrow("SELECT takeovers, strategy FROM projectors")) == (7, None)
        await migrate(url, "downgrade", "0003")
        assert dict(await connection.fetchrow("SELECT * FROM projectors"))["takeovers"] == 7
        await connection.close()


NOTHING_PROJECTED = "INSERT INTO streams (stream, version, pending_since) VALUES ('s', 1, now())"
PROJECTED = "INSERT INTO streams (stream, version, projected) VALUES ('s', 1, 1)"
CURSOR = "INSERT INTO cursors (name, position) VALUES ('todos', 1)"
MINUTE = "INSERT INTO activity VALUES (now(), 1, 1, 0, 0)"


@pytest.mark.parametrize(
    ("before", "recorded"),
    [
        ([NOTHING_PROJECTED], []),
        ([PROJECTED], [["todos"]]),
        ([NOTHING_PROJECTED, CURSOR], [["todos"]]),
        ([PROJECTED, MINUTE], [["todos", "activity"]]),
    ],
)
async def test_a_store_of_before_says_by_which_read_models_it_is_projected(
    cluster: Cluster, before: list[str], recorded: list[list[str]]
) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0006")
        connection = await asyncpg.connect(url)
        for statement in before:
            await connection.execute(statement)
        await migrate(url)
        assert [row["read_models"] for row in await connection.fetch("SELECT * FROM kept_read_models")] == recorded
        await connection.close()


OF_EACH_TODO = """
INSERT INTO todos (id, text, created_at, updated_at, version, deleted)
SELECT name, 'milk', now(), now(), 3, false FROM unnest('{whole,skipped,doubled,by hand}'::text[]) AS name;
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ('whole', 1, 2, 2, 'p', 1, now()), ('whole', 3, 3, 3, 'p', 1, now()),
       ('skipped', 1, 1, 4, 'p', 1, now()), ('skipped', 3, 3, 6, 'p', 1, now()),
       ('doubled', 1, 3, 9, 'p', 1, now()), ('doubled', 3, 3, 9, 'p', 1, now())
"""


async def test_of_rows_of_before_the_audit_says_how_many_events_took_effect(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0008")
        connection = await asyncpg.connect(url)
        await connection.execute(OF_EACH_TODO)
        await migrate(url)
        told = {row["id"]: row["applied"] for row in await connection.fetch("SELECT id, applied FROM todos")}
        assert told == {"whole": 3, "skipped": 2, "doubled": 4, "by hand": 3}
        await connection.close()


async def test_dropping_the_tables_drops_their_functions_too(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await run_sync(url, create_all)
        await run_sync(url, drop_all)
        assert await everything(url) == []


async def test_migrators_that_start_at_once_all_succeed(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        starting = [await start("upgrade", url) for _ in range(3)]
        ended = await asyncio.gather(*(process.communicate() for process in starting))

        assert [process.returncode for process in starting] == [0, 0, 0], ended
        assert any(row.startswith("table events ") for row in await everything(url))


async def test_a_migrator_waits_for_its_turn(cluster: Cluster) -> None:
    """It does nothing, not even look, while another one works."""
    async with cluster.database(migrated=False) as url:
        other = await asyncpg.connect(url)
        await other.execute("SELECT pg_advisory_lock(1953064546)")
        waiting = asyncio.create_task(migrate(url))
        async with asyncio.timeout(20):
            while not await other.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
            ):
                assert not waiting.done()
                await asyncio.sleep(0.01)
        assert await other.fetchval("SELECT to_regclass('alembic_version')") is None
        await other.close()
        await waiting


async def test_a_turn_that_is_not_had_in_time_names_who_has_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations.turn.TURN_TIMEOUT", "50ms")
    async with cluster.database() as url:
        other = await asyncpg.connect(url, server_settings={"application_name": "stuck one"})
        await other.execute("SELECT pg_advisory_lock(1953064546)")
        pid = await other.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(
            Held,
            match=rf"the migrators' turn is held by pid {pid} \(application stuck one, user tidemark, idle\) since",
        ):
            await migrate(url)
        await other.close()


async def test_a_migrator_gives_up_where_traffic_would_wait_behind_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations.turn.LOCK_TIMEOUT", "50ms")
    async with cluster.database() as url:
        busy = await asyncpg.connect(url)
        await busy.execute("BEGIN; SELECT count(*) FROM streams")
        with pytest.raises(Held, match="lock timeout: tables that are to be changed are held by pid"):
            await migrate(url, "downgrade", "base")
        await busy.execute("ROLLBACK")
        assert await busy.fetchval("SELECT to_regclass('streams')") is not None
        await busy.close()


async def start(action: str, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "migrations",
        action,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(monkeypatch: pytest.MonkeyPatch, url: str | None, *arguments: str) -> int:
    if url is None:
        monkeypatch.delenv("DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["migrations", *(arguments or ("upgrade",))])
    return main()


@pytest.mark.parametrize(
    "url",
    [None, "", "todos", "mysql://u:s3cret@h/db", "postgresql://u:s3cret@h", "postgresql://u:s3cret@h:port/db"],
)
def test_a_bad_address_is_a_bad_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str | None
) -> None:
    assert run(monkeypatch, url) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("DATABASE_URL=")
    assert "postgresql://user:password@host:port/database" in err
    assert "s3cret" not in err


def unreachable(url: str) -> str:
    return f"postgresql://tidemark:s3cret@127.0.0.1:{free_port()}/db"


def wrong_password(url: str) -> str:
    return url.replace("tidemark:", "tidemark:s3cret-", 1)


def missing_database(url: str) -> str:
    return url + "_missing"


@pytest.mark.parametrize("wrong", [unreachable, wrong_password, missing_database])
def test_a_database_that_can_not_be_used_is_one_line(
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: Callable[[str], str],
) -> None:
    assert run(monkeypatch, wrong(cluster.server.url())) == 1

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("DATABASE_URL: the migration failed: ")
    assert "s3cret" not in err


def test_actions_by_hand(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    url = cluster.create(migrated=False) + "?sslmode=disable"
    assert run(monkeypatch, url, "upgrade") == 0
    assert run(monkeypatch, url, "upgrade") == 0
    capsys.readouterr()
    assert run(monkeypatch, url, "current") == 0
    assert REVISION in capsys.readouterr().out

    assert run(monkeypatch, url, "upgrade", "nonsense") == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "nonsense" in err
    assert run(monkeypatch, url, "downgrade", "base") == 0
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, url, "sideways")
    assert ended.value.code == 2


FOREIGN = (
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('{}')"
)


@pytest.mark.parametrize("arguments", [("upgrade",), ("downgrade", "base"), ("current",)])
@pytest.mark.parametrize(
    ("made", "said"),
    [
        (FOREIGN.format("a1b2c3"), "has the alembic_version of another application (revision 'a1b2c3')"),
        (FOREIGN.format("0001"), "has an alembic_version at revision '0001', but no table 'events'"),
        (FOREIGN.format("0001") + "; CREATE TABLE events (n int)", "but no table 'streams'"),
        ("CREATE TABLE events (n int)", "has a table 'events' that tidemark did not make"),
        ("CREATE TABLE todos (n int)", "has a table 'todos' that tidemark did not make"),
    ],
)
def test_a_database_of_another_application_is_left_alone(
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made: str,
    said: str,
    arguments: tuple[str, ...],
) -> None:
    url = cluster.create(migrated=False)
    name = url.rpartition("/")[2]
    cluster.server.execute(made, name)
    before = asyncio.run(everything(url))

    assert run(monkeypatch, url, *arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"DATABASE_URL: database '{name}', schema 'public', ")
    assert said in err
    assert "give tidemark a database of its own" in err
    assert asyncio.run(everything(url)) == before


def test_a_database_of_a_newer_version_is_left_alone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = cluster.create()
    cluster.server.execute("UPDATE alembic_version SET version_num = '9999'", url.rpartition("/")[2])
    assert run(monkeypatch, url) == 2
    err = capsys.readouterr().err
    assert "is at revision '9999', which this version does not know" in err
    assert "run the version that it was migrated with" in err


def test_a_schema_of_its_own_beside_another_application(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    url = cluster.create(migrated=False)
    cluster.server.execute(FOREIGN.format("a1b2c3") + "; CREATE SCHEMA ours", url.rpartition("/")[2])
    address = f"{url}?options=-csearch_path%3Dours"
    assert run(monkeypatch, address) == 0
    assert run(monkeypatch, address, "roles") == 0


def test_an_upgrade_makes_the_roles_too_where_it_is_asked_to(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = cluster.create(migrated=False)
    assert run(monkeypatch, url, "upgrade", "--roles") == 0
    assert "tidemark_api: may log in" in capsys.readouterr().out
    assert asyncio.run(reads(as_role("oracle", url))) == 0


async def reads(url: str) -> int:
    """The events that a login reads."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM events"))
    finally:
        await connection.close()
