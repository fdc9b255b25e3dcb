"""Definition of a live table, read from the catalogue: statements that make a shadow of it, and what goes with it.

Columns, defaults, constraints, indexes, storage parameters (autovacuum's among them), owner, comments and statistics
come from the live table as it is, not from the code, so what a DBA has added is kept. Privileges and views are read in
the switch. What can not go along is named before anything is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from projection.operator.rebuild.schemas import NotRebuilt, Schemas, Table

# With an empty path Postgres writes every name with its schema.
_QUALIFIED: Final = "SELECT set_config('search_path', '', true)"
_PATH: Final = "SELECT current_setting('search_path')"
_BACK: Final = "SELECT set_config('search_path', $1, true)"

# $1 the table, $2 the schema of the shadow, $3 that of the live table.
_DEFINITION: Final = """
SELECT statement FROM (
  SELECT 1 AS n, 0::oid AS id,
         format('CREATE %sTABLE %s.%I (LIKE %s.%I INCLUDING ALL EXCLUDING INDEXES)%s%s',
                CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, $2::text, c.relname, $3::text, c.relname,
                ' WITH (' || nullif(array_to_string(c.reloptions || ARRAY(
                  SELECT 'toast.' || option FROM pg_class t CROSS JOIN LATERAL unnest(t.reloptions) AS option
                   WHERE t.oid = c.reltoastrelid), ', '), '') || ')',
                ' TABLESPACE ' || (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = c.reltablespace))
           AS statement
    FROM pg_class c WHERE c.oid = $1
   UNION ALL
  SELECT 2, i.indexrelid,
         replace(pg_get_indexdef(i.indexrelid), format(' ON %s.%I USING ', $3::text, c.relname),
                 format(' ON %s.%I USING ', $2::text, c.relname))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
   WHERE i.indrelid = $1
     AND NOT EXISTS (SELECT FROM pg_constraint x WHERE x.conindid = i.indexrelid AND x.contype = 'x')
   UNION ALL
  SELECT 3, k.oid,
         format('ALTER TABLE %s.%I ADD CONSTRAINT %I %s', $2::text, c.relname, k.conname,
                CASE WHEN k.contype = 'x' THEN pg_get_constraintdef(k.oid)
                     ELSE format('%s USING INDEX %I%s%s', CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
                                 (SELECT relname FROM pg_class WHERE oid = k.conindid),
                                 CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END,
                                 CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END) END)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
   WHERE k.conrelid = $1 AND k.contype IN ('p', 'u', 'x')
   UNION ALL
  SELECT 4, 0::oid, format('ALTER TABLE %s.%I REPLICA IDENTITY %s', $2::text, c.relname,
                    CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
                         ELSE (SELECT format('USING INDEX %I', r.relname) FROM pg_index i
                                 JOIN pg_class r ON r.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisreplident)
                    END)
    FROM pg_class c WHERE c.oid = $1 AND c.relreplident <> 'd'
   UNION ALL
  SELECT 5, 0::oid, format('COMMENT ON TABLE %s.%I IS %L', $2::text, c.relname, obj_description(c.oid, 'pg_class'))
    FROM pg_class c WHERE c.oid = $1 AND obj_description(c.oid, 'pg_class') IS NOT NULL
   UNION ALL
  SELECT 6, 0::oid, format('ALTER TABLE %s.%I OWNER TO %I', $2::text, c.relname, pg_get_userbyid(c.relowner))
    FROM pg_class c WHERE c.oid = $1 AND pg_get_userbyid(c.relowner) <> current_user
) AS made ORDER BY n, id
"""

# LIKE copies them; here they only tell whether the table was changed since.
_SHAPE: Final = """
SELECT format('%s %s %s %s %s %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation,
              a.attidentity, a.attgenerated, a.attstorage, pg_get_expr(d.adbin, d.adrelid)) AS told, a.attnum AS n
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
 UNION ALL
SELECT conname || ' ' || pg_get_constraintdef(oid), 0 FROM pg_constraint WHERE conrelid = $1 AND contype = 'c'
 ORDER BY n, told
"""

# Rules and views alike are rewrites; a plain view is made anew in the switch, with all that hangs on it left as it is.
_IN_THE_WAY: Final = """
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) AS what
  FROM pg_depend d
 WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
        OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
          SELECT unnest(ARRAY[t.oid, t.typarray]) FROM pg_type t WHERE t.typrelid = $1))
   AND CASE d.classid
         WHEN 'pg_trigger'::regclass THEN NOT (SELECT tgisinternal FROM pg_trigger WHERE oid = d.objid)
         WHEN 'pg_constraint'::regclass THEN (SELECT contype = 'f' FROM pg_constraint WHERE oid = d.objid)
         WHEN 'pg_rewrite'::regclass THEN (
           SELECT c.relkind <> 'v' OR r.rulename <> '_RETURN'
             FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid = d.objid)
         WHEN 'pg_class'::regclass THEN (
           SELECT relkind IN ('r', 'p', 'f', 'm', 'v', 'c') FROM pg_class WHERE oid = d.objid)
         ELSE d.classid IN ('pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
       END
 UNION ALL
SELECT CASE WHEN relkind <> 'r' THEN 'that it is no plain table' ELSE 'row level security' END
  FROM pg_class WHERE oid = $1 AND (relkind <> 'r' OR relrowsecurity)
 UNION ALL
SELECT 'inheritance' FROM pg_inherits WHERE inhrelid = $1 OR inhparent = $1
"""

# Rights that the shadow was given as a new table, by ALTER DEFAULT PRIVILEGES.
_GIVEN_TO_NEW: Final = """
SELECT DISTINCT format('REVOKE ALL ON TABLE %s.%I FROM %s', $2::text, c.relname,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
  FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
 WHERE c.oid = (SELECT s.oid FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
                 WHERE quote_ident(n.nspname) = $2 AND s.relname = (SELECT relname FROM pg_class WHERE oid = $1))
   AND a.grantee <> c.relowner
"""


async def definition(connection: asyncpg.Connection, schemas: Schemas, table: Table) -> list[str]:
    """Statements that make an empty shadow of the table. Raises NotRebuilt where something can not go along."""
    statements, _ = await _read(connection, schemas, table)
    return statements


async def signature(connection: asyncpg.Connection, schemas: Schemas, tables: Sequence[Table]) -> str:
    """What the tables are, as text: another one, where a migration or a DBA has changed one. Raises as `definition`."""
    lines: list[str] = []
    for table in tables:
        statements, shape = await _read(connection, schemas, table)
        lines += [*statements, *shape]
    return "\n".join(lines)


async def _read(connection: asyncpg.Connection, schemas: Schemas, table: Table) -> tuple[list[str], list[str]]:
    path = await connection.fetchval(_PATH)
    await connection.execute(_QUALIFIED)
    if found := [row["what"] for row in await connection.fetch(_IN_THE_WAY, table.oid)]:
        raise NotRebuilt(
            f"table {table.name} can not be replaced, for it has what can not go along: {', '.join(found)};"
            " drop that, and make it again afterwards"
        )
    arguments = (table.oid, schemas.shadow, schemas.live)
    statements = [row["statement"] for row in await connection.fetch(_DEFINITION, *arguments)]
    shape = [row["told"] for row in await connection.fetch(_SHAPE, table.oid)]
    await connection.execute(_BACK, path)
    return statements, shape


async def make(connection: asyncpg.Connection, schemas: Schemas, tables: Sequence[Table]) -> None:
    """Make empty shadows of the tables, without any privilege but the owner's. Raises as `definition`."""
    for table in tables:
        for statement in await definition(connection, schemas, table):
            await connection.execute(statement)
        for row in await connection.fetch(_GIVEN_TO_NEW, table.oid, schemas.shadow):
            await connection.execute(row[0])
