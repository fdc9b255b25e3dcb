"""Each role has the rights that its process needs, and none beside: table by table, column by column."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import product

import asyncpg
import pytest

from migrations.roles.script import FUNCTIONS, SEQUENCES, TABLES
from tests.cluster import Cluster, as_role

ROLES = ("api", "projector", "operator", "oracle", "scaler")

HEAD = {"version", "pending_since"}
LEASE = {"projected", "pending_since", "holder", "epoch", "leased_until", "attempts", "retry_at", "blocked_at", "error"}
CURSOR = {*LEASE - {"projected", "pending_since"}, "position", "stream", "version"}
PROJECTED = {"projected", "projected_position", "projected_at"}
ALL = {"*"}

# Who may change what: all columns, or those. Whatever is not here, nobody may.
MAY: dict[tuple[str, str], dict[str, set[str]]] = {
    ("api", "events"): {"INSERT": {"stream", "version", "type", "data"}},
    ("api", "streams"): {"INSERT": {"stream", *HEAD}, "UPDATE": HEAD},
    ("api", "idempotency_keys"): {"INSERT": {"key", "fingerprint", "stream", "version"}},
    ("api", "tallies"): {
        "INSERT": {"slot", "events", "streams", "drains"},
        "UPDATE": {"events", "streams", "drains"},
    },
    ("projector", "streams"): {"UPDATE": LEASE},
    ("projector", "cursors"): {"INSERT": {"name"}, "UPDATE": CURSOR},
    ("projector", "projectors"): {"INSERT": ALL, "UPDATE": ALL, "DELETE": ALL},
    ("projector", "kept_read_models"): {"INSERT": {"projection", "read_models"}},
    ("projector", "tallies"): {"INSERT": {"slot", *PROJECTED}, "UPDATE": PROJECTED},
    ("projector", "projection_audit"): {
        "INSERT": {"stream", "from_version", "to_version", "last_position", "projector", "epoch", "projected_at"}
    },
    ("projector", "todos"): {"INSERT": ALL, "UPDATE": ALL},
    ("projector", "todo_tallies"): {"INSERT": ALL, "UPDATE": ALL},
    ("projector", "activity"): {"INSERT": ALL, "UPDATE": ALL},
    ("operator", "streams"): {"UPDATE": {*LEASE, "skipped"}},
    ("operator", "cursors"): {"UPDATE": CURSOR},
    ("operator", "kept_read_models"): {"INSERT": ALL, "UPDATE": {"read_models", "becoming"}},
    ("operator", "tallies"): {"INSERT": {"slot", "projected"}, "UPDATE": {"events", "streams", *PROJECTED}},
    ("operator", "todos"): {"UPDATE": {"version"}, "DELETE": ALL},
    ("operator", "todo_tallies"): {"INSERT": ALL, "UPDATE": ALL},
    ("operator", "activity"): {"INSERT": ALL, "UPDATE": ALL},
    ("operator", "projection_audit"): {"DELETE": ALL},
}
READS_KEYS = {"api", "operator", "oracle"}
# Whose reading is by columns, too: the others read whole tables.
COUNTS = {"streams": {"version", "projected", "pending_since", "blocked_at"}, "tallies": {"events", "projected"}}
MAY_CALL = {("api", "safe_position()"), ("projector", "safe_position()"), ("projector", "refuse(text)")}
SEQUENCE_RIGHTS = {
    ("api", "events_position_seq"): {"SELECT"},
    ("projector", "events_position_seq"): {"SELECT"},
    ("operator", "events_position_seq"): {"SELECT", "UPDATE"},
    ("oracle", "events_position_seq"): {"SELECT"},
}

COLUMNS = """
SELECT attname FROM pg_attribute
 WHERE attrelid = $2::regclass AND attnum > 0 AND NOT attisdropped AND has_column_privilege($1, $2, attname, $3)
"""


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A migrated database with the roles' rights."""
    return cluster.create()


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may ask for everybody's rights."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.mark.parametrize(("role", "table"), [*product(ROLES, TABLES)])
async def test_rights_on_tables(owner: asyncpg.Connection, role: str, table: str) -> None:
    name = f"tidemark_{role}"
    may = MAY.get((role, table), {})
    reads = ALL if table != "idempotency_keys" or role in READS_KEYS else set()
    may = {**may, "SELECT": COUNTS.get(table, set()) if role == "scaler" else reads}
    for right in ("SELECT", "INSERT", "UPDATE"):
        every = await owner.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0", table
        )
        wanted = may.get(right, set())
        has = {row["attname"] for row in await owner.fetch(COLUMNS, name, table, right)}
        assert has == ({row["attname"] for row in every} if wanted is ALL else wanted), right
    for right in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        assert await owner.fetchval("SELECT has_table_privilege($1, $2, $3)", name, table, right) is (right in may)


@pytest.mark.parametrize(("role", "sequence"), [*product(ROLES, SEQUENCES)])
async def test_rights_on_sequences(owner: asyncpg.Connection, role: str, sequence: str) -> None:
    rights = {
        right
        for right in ("SELECT", "USAGE", "UPDATE")
        if await owner.fetchval("SELECT has_sequence_privilege($1, $2, $3)", f"tidemark_{role}", sequence, right)
    }
    assert rights == SEQUENCE_RIGHTS.get((role, sequence), set())


@pytest.mark.parametrize(("role", "function"), [*product(ROLES, FUNCTIONS)])
async def test_rights_on_functions(owner: asyncpg.Connection, role: str, function: str) -> None:
    may = await owner.fetchval("SELECT has_function_privilege($1, $2, 'EXECUTE')", f"tidemark_{role}", function)
    assert may is ((role, function) in MAY_CALL)


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_has_a_power_over_the_server_or_the_schema(owner: asyncpg.Connection, role: str) -> None:
    row = await owner.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", f"tidemark_{role}")
    assert not any(
        row[power] for power in ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
    )
    assert not await owner.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", f"tidemark_{role}")


async def test_every_table_sequence_and_function_that_there_is_has_its_decision(owner: asyncpg.Connection) -> None:
    """A later migration that makes something fails here until the roles' files, and the table above, know it."""
    relations = await owner.fetch(
        "SELECT relname, relkind FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
    )
    functions = await owner.fetch(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    kinds = {row["relname"]: row["relkind"] for row in relations}
    assert {name for name, kind in kinds.items() if kind != b"S"} == set(TABLES)
    assert {name for name, kind in kinds.items() if kind == b"S"} == set(SEQUENCES)
    assert {row[0] for row in functions} == set(FUNCTIONS)
    assert {table for _, table in MAY} <= set(TABLES)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("api", "UPDATE streams SET holder = 'me', leased_until = now()"),
        ("api", "UPDATE streams SET projected = version, pending_since = NULL"),
        ("api", "INSERT INTO todos VALUES ('t', 'milk', now(), now(), 1, false, 1)"),
        ("api", "UPDATE events SET data = '{}'"),
        ("api", "DELETE FROM idempotency_keys"),
        ("api", "SELECT nextval('events_position_seq')"),
        ("projector", "INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')"),
        ("projector", "UPDATE streams SET version = version + 1"),
        ("projector", "INSERT INTO streams (stream, version) VALUES ('s', 1)"),
        ("projector", "DELETE FROM projection_audit"),
        ("operator", "INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')"),
        ("operator", "DELETE FROM streams"),
        ("operator", "TRUNCATE todos"),
        ("oracle", "UPDATE todos SET text = 'bread'"),
        ("oracle", "SELECT safe_position()"),
        ("oracle", "CREATE TABLE mine (n int)"),
        ("scaler", "SELECT stream FROM streams"),
        ("scaler", "SELECT data FROM events"),
        ("scaler", "UPDATE tallies SET events = 0"),
    ],
)
async def test_a_role_is_refused_what_is_not_its_own(url: str, role: str, statement: str) -> None:
    connection = await asyncpg.connect(as_role(role, url))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
