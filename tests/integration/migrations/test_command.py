"""`python -m migrations`: what can not be migrated is refused in one line, and left alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import asyncpg
import pytest

from bench.platforms.postgres.cluster import free_port
from eventstore.schema import REVISION
from migrations.__main__ import main
from tests.cluster import Cluster, as_role
from tests.integration.migrations.databases import everything


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
