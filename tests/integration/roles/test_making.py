"""`python -m migrations roles`: again and again the same, also by hand; refused in one line; no password is shown."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import asyncpg
import pytest

from eventstore.connection.planner import ROLES
from migrations.__main__ import main
from migrations.roles.apply import NotAllowed, apply
from migrations.roles.script import FUNCTIONS, TABLES, printed
from tests.cluster import PASSWORD, Cluster, as_role

NUMBERS = itertools.count(1)
RIGHTS = """
SELECT c.relname, c.relacl::text, (SELECT array_agg(a.attname || a.attacl::text ORDER BY 1) FROM pg_attribute a
                                    WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL)
  FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1
"""


@pytest.fixture
def url(cluster: Cluster) -> str:
    """A migrated database with the roles' rights."""
    return cluster.create()


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_running_it_again_takes_away_what_does_not_belong(url: str, owner: asyncpg.Connection) -> None:
    before = await owner.fetch(RIGHTS)
    await owner.execute(
        "GRANT UPDATE ON todos TO tidemark_api; GRANT INSERT (stream, version) ON events TO tidemark_oracle;"
        "REVOKE SELECT ON todos FROM tidemark_api; GRANT EXECUTE ON FUNCTION safe_position() TO PUBLIC"
    )
    assert await owner.fetch(RIGHTS) != before
    assert await apply(url, {}) == sorted(ROLES)
    assert await owner.fetch(RIGHTS) == before
    assert not await owner.fetchval("SELECT has_function_privilege('tidemark_oracle', 'safe_position()', 'EXECUTE')")


async def test_what_is_printed_does_the_same(url: str, owner: asyncpg.Connection) -> None:
    before = await owner.fetch(RIGHTS)
    await owner.execute(f"REVOKE ALL ON {', '.join(TABLES)} FROM {', '.join(ROLES)}")
    await owner.execute(printed())
    assert await owner.fetch(RIGHTS) == before


@pytest.mark.parametrize("role", ROLES)
async def test_a_session_of_a_role_has_its_settings(url: str, role: str) -> None:
    """Without a word from the client, as behind a pooler."""
    connection = await asyncpg.connect(as_role(role.removeprefix("tidemark_"), url))
    try:
        assert {name: await connection.fetchval("SELECT current_setting($1)", name) for name in ROLES[role]} == dict(
            ROLES[role]
        )
    finally:
        await connection.close()


async def test_the_password_itself_is_never_sent(url: str, owner: asyncpg.Connection) -> None:
    """A server that was sent one would store it in the way that this session asks for."""
    await apply(f"{url}?options=-cpassword_encryption%3Dmd5", dict.fromkeys(ROLES, PASSWORD))
    stored = await owner.fetch("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'tidemark\\_%'")
    assert len(stored) == len(ROLES)
    assert all(row["rolpassword"].startswith("SCRAM-SHA-256$4096:") for row in stored)


@pytest.fixture
async def limited(cluster: Cluster, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """A login that owns nothing and may create no role; its name."""
    name = f"limited_{next(NUMBERS)}"
    await owner.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD 'limited'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"
    )
    yield name
    await owner.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}")


def as_user(name: str, url: str) -> str:
    return f"postgresql://{name}:limited@{url.rpartition('@')[2]}"


async def test_who_does_not_own_the_tables_is_refused_by_name(url: str, limited: str) -> None:
    with pytest.raises(NotAllowed, match=rf"'{limited}' does not own the tables of database .* --sql` prints"):
        await apply(as_user(limited, url), {})


async def test_an_owner_without_createrole_gives_rights_to_roles_that_are_there(
    url: str, owner: asyncpg.Connection, limited: str
) -> None:
    """As on a managed server, after a DBA made the roles; what it may not do, it says."""
    await owner.execute(
        f"GRANT CREATE ON SCHEMA public TO {limited} WITH GRANT OPTION; GRANT USAGE ON SCHEMA public TO {limited}"
        f" WITH GRANT OPTION; " + ";".join(f"ALTER TABLE {table} OWNER TO {limited}" for table in TABLES)
    )
    for function in FUNCTIONS:
        await owner.execute(f"ALTER FUNCTION {function} OWNER TO {limited}")
    await owner.execute(f"REVOKE ALL ON {', '.join(TABLES)} FROM {', '.join(ROLES)}")

    assert await apply(as_user(limited, url), {}) == sorted(ROLES)
    assert await owner.fetchval("SELECT has_column_privilege('tidemark_api', 'events', 'data', 'INSERT')")
    with pytest.raises(NotAllowed, match=rf"'{limited}' lacks CREATEROLE"):
        await apply(as_user(limited, url), {"tidemark_api": "new"})


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for role in ROLES:
        monkeypatch.delenv(f"{role.upper()}_PASSWORD", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr("sys.argv", ["migrations", "roles"])
    return monkeypatch


def test_a_role_without_a_password_is_said(
    command: pytest.MonkeyPatch, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command.setenv("DATABASE_URL", url)
    command.setenv("TIDEMARK_API_PASSWORD", "of-a-role")
    assert main() == 0
    out, err = capsys.readouterr()
    assert [line.partition(":")[0] for line in out.splitlines()] == list(ROLES)
    assert "of-a-role" not in out + err
    assert "may log in" in out


@pytest.mark.parametrize("value", ["naïve-secret", "x" * 201, "tab\tsecret"])
def test_a_password_that_can_not_be_used_is_refused_unseen(
    command: pytest.MonkeyPatch, url: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command.setenv("DATABASE_URL", url)
    command.setenv("TIDEMARK_ORACLE_PASSWORD", value)
    assert main() == 2
    err = capsys.readouterr().err
    assert err.startswith("TIDEMARK_ORACLE_PASSWORD=")
    assert value not in err


def test_without_tables_it_says_what_comes_first(
    command: pytest.MonkeyPatch, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    command.setenv("DATABASE_URL", cluster.create(migrated=False))
    assert main() == 2
    assert "first run `python -m migrations upgrade`" in capsys.readouterr().err


def test_printing_needs_no_database(command: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command.setattr("sys.argv", ["migrations", "roles", "--sql"])
    assert main() == 0
    assert capsys.readouterr().out == printed()
