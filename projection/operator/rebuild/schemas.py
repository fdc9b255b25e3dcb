"""Schemas of a rebuild: the live one, that of the shadow tables, and that of the old ones while they go.

Shadow tables have the names of the live ones, in a schema that stands first in the `search_path` of a rebuild's
transactions. So a fragment that says `todos` means the shadow, and `events` the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import asyncpg

from projection.read_model import ReadModels

_NAMED: Final = """
SELECT quote_ident(name) AS live, quote_ident(name || '_rebuild') AS shadow, quote_ident(name || '_before') AS before,
       has_database_privilege(current_database(), 'CREATE') AS may, current_user AS role
  FROM (SELECT current_schema()::text AS name) AS live
"""

# The live table is looked up as every process does: by its name.
_TABLES: Final = """
SELECT given.name, to_regclass(quote_ident(given.name))::oid AS oid, quote_ident(given.name) AS quoted,
       (SELECT quote_ident(n.nspname) FROM pg_namespace n WHERE n.oid = c.relnamespace) AS schema,
       coalesce(pg_has_role(c.relowner, 'USAGE'), false) AS owned
  FROM unnest($1::text[]) WITH ORDINALITY AS given(name, n)
  LEFT JOIN pg_class c ON c.oid = to_regclass(quote_ident(given.name))
 ORDER BY given.n
"""

_ENTER: Final = "SELECT set_config('search_path', $1 || ', ' || current_setting('search_path'), true)"


class NotRebuilt(Exception):
    """The read models can not be rebuilt here; the message says why, and what to do. The live ones are as they were."""


@dataclass(frozen=True, slots=True)
class Table:
    """A live table: its name as written in SQL, and its OID now."""

    name: str
    oid: int


@dataclass(frozen=True, slots=True)
class Schemas:
    """Names as written in SQL."""

    live: str
    shadow: str
    before: str

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> Self:
        """Those of this connection. Raises NotRebuilt where its role may make no schema."""
        row = await connection.fetchrow(_NAMED)
        if not row["may"]:
            raise NotRebuilt(
                f"the role {row['role']} may not make a schema in this database: run it with the address by which the"
                f" database is migrated, or GRANT CREATE ON DATABASE to the owner of the tables"
            )
        return cls(row["live"], row["shadow"], row["before"])

    async def enter(self, connection: asyncpg.Connection) -> None:
        """Let names mean shadow tables until the end of the transaction."""
        await connection.execute(_ENTER, self.shadow)


async def tables_of(connection: asyncpg.Connection, schemas: Schemas, models: ReadModels) -> list[Table]:
    """The live tables of the read models, in the order in which a batch writes them. Raises NotRebuilt.

    To be asked outside of the shadow's `search_path`.
    """
    names: Sequence[str] = [table.name for model in models for table in model.tables]
    found: list[Table] = []
    for row in await connection.fetch(_TABLES, names):
        if row["oid"] is None:
            raise NotRebuilt(f"there is no table {row['name']!r}: migrate the database, or make the table")
        if row["schema"] != schemas.live:
            raise NotRebuilt(f"table {row['name']!r} is in schema {row['schema']}, and not in {schemas.live}")
        if not row["owned"]:
            raise NotRebuilt(
                f"a rebuild puts another table in the place of {row['name']!r}, which its owner alone may: run it with"
                " the address by which the database is migrated"
            )
        found.append(Table(row["quoted"], row["oid"]))
    return found
