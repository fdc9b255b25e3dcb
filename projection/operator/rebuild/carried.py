"""Exchange of the tables, as one script, and what goes along from the live tables to those in their place.

Privileges, views and the sequences of serial columns are read in the switch itself, so they are those of that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from projection.operator.rebuild.record import TABLES
from projection.operator.rebuild.schemas import Schemas, Table

# The shadow's own rights are its owner's alone: see `definition.make`.
_PRIVILEGES: Final = """
SELECT format('GRANT %s%s ON TABLE %s.%I TO %s%s', a.privilege_type, a.column_name, $2::text, a.relname,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM (
    SELECT c.relname, c.relowner, '' AS column_name, acl.*
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS acl WHERE c.oid = $1
     UNION ALL
    SELECT c.relname, c.relowner, format(' (%I)', t.attname), acl.*
      FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
     CROSS JOIN LATERAL aclexplode(t.attacl) AS acl WHERE c.oid = $1 AND NOT t.attisdropped
  ) AS a
 WHERE a.grantee <> a.relowner
"""

# With the same columns, a view takes another table under it, and keeps its rights and all that hangs on it.
_VIEWS: Final = """
SELECT DISTINCT format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, c.relname,
                       ' WITH (' || nullif(array_to_string(c.reloptions, ', '), '') || ')', pg_get_viewdef(c.oid))
  FROM pg_depend d
  JOIN pg_rewrite r ON r.oid = d.objid
  JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
   AND c.relkind = 'v'
"""

# A sequence of a serial column belongs to the live column, and is where both tables take their numbers.
_SEQUENCES: Final = """
SELECT format('%I.%I', n.nspname, s.relname) AS sequence, format('%s.%I.%I', $2::text, c.relname, t.attname) AS owner
  FROM pg_depend d
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  JOIN pg_namespace n ON n.oid = s.relnamespace
  JOIN pg_class c ON c.oid = d.refobjid
  JOIN pg_attribute t ON t.attrelid = d.refobjid AND t.attnum = d.refobjsubid
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'a'
"""


async def exchange(connection: asyncpg.Connection, schemas: Schemas, tables: Sequence[Table]) -> str:
    """The script that puts the shadows in the place of the live tables, and drops these and all that was the rebuild's.

    Leaves an empty `search_path`, so that Postgres writes every name with its schema.
    """
    await connection.execute("SELECT set_config('search_path', '', true)")
    views = [row[0] for row in await connection.fetch(_VIEWS, [table.oid for table in tables])]
    privileges, sequences = list[str](), list[asyncpg.Record]()
    for table in tables:
        privileges += [row[0] for row in await connection.fetch(_PRIVILEGES, table.oid, schemas.live)]
        sequences += await connection.fetch(_SEQUENCES, table.oid, schemas.live)
    names = [table.name for table in tables]
    script = [
        f"CREATE SCHEMA {schemas.before}",
        *(f"ALTER SEQUENCE {row['sequence']} OWNED BY NONE" for row in sequences),
        *(f"ALTER TABLE {schemas.live}.{name} SET SCHEMA {schemas.before}" for name in names),
        *(f"ALTER TABLE {schemas.shadow}.{name} SET SCHEMA {schemas.live}" for name in names),
        *(f"ALTER SEQUENCE {row['sequence']} OWNED BY {row['owner']}" for row in sequences),
        *privileges,
        *(view.rstrip("; \n") for view in views),
        f"DROP TABLE {', '.join(f'{schemas.before}.{name}' for name in names)}",
        f"DROP SCHEMA {schemas.before}",
        f"DROP TABLE {', '.join(f'{schemas.shadow}.{name}' for name in TABLES)}",
        f"DROP SCHEMA {schemas.shadow}",
    ]
    return ";\n".join(script)
