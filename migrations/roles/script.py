"""The roles as one SQL script: CREATE ROLE, ALTER ROLE … SET, REVOKE, GRANT.

It may run any number of times, and always ends with the same rights: what a role has of our tables, sequences and
functions beyond its own file is taken away. To be run as one transaction, with our schema first in `search_path`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from eventstore.connection.planner import CONNECTIONS, ROLES
from migrations import metadata

FOLDER: Final = Path(__file__).parent

TABLES: Final = ("alembic_version", *sorted(table.name for one in metadata for table in one.sorted_tables))
SEQUENCES: Final = ("events_position_seq", "projection_audit_id_seq", "tallies_slot_seq", "todo_tallies_slot_seq")
FUNCTIONS: Final = ("announce_writer()", "check_position()", "refuse(text)", "safe_position()")

# An owner of the tables who may not create roles can still give rights to those that are there, so nothing is created
# or set that is so already. Another database of the server may do the same at this moment.
_ROLE: Final = """\
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    BEGIN
      CREATE ROLE {role} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setrole = '{role}'::regrole AND setdatabase = 0
                    AND setconfig @> ARRAY[{config}]) THEN
{settings}
  END IF;
{bound}END $$;
"""

_BOUND: Final = """\
  IF (SELECT rolconnlimit FROM pg_roles WHERE rolname = '{role}') <> {connections} THEN
    ALTER ROLE {role} CONNECTION LIMIT {connections};
  END IF;
"""

_SCHEMA: Final = """\
DO $$ BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO {roles}', current_schema());
END $$;
"""


def script() -> str:
    """All of it, without passwords."""
    roles = ", ".join(ROLES)
    return "\n".join(
        (
            *(_role(role, settings) for role, settings in ROLES.items()),
            _SCHEMA.format(roles=roles),
            f"REVOKE ALL ON {', '.join(TABLES)} FROM {roles};",
            f"REVOKE ALL ON SEQUENCE {', '.join(SEQUENCES)} FROM {roles};",
            f"REVOKE ALL ON FUNCTION {', '.join(FUNCTIONS)} FROM PUBLIC, {roles};\n",
            *(grants(role) for role in ROLES),
        )
    )


def grants(role: str) -> str:
    """The GRANTs of one role, as its file has them."""
    return (FOLDER / f"{role}.sql").read_text(encoding="utf-8")


def printed() -> str:
    """The script for somebody to run by hand: one transaction, and how a role comes to a password."""
    told = "".join(f"--   \\password {role}\n--   ALTER ROLE {role} LOGIN;\n" for role in ROLES)
    head = "-- Run in the migrated database, as the owner of its tables, who may create roles: psql -f roles.sql\n"
    tail = "-- A role may log in once it has a password. Or make your own users members, and give them its settings.\n"
    return f"{head}BEGIN;\n{script()}COMMIT;\n{tail}{told}"


def _role(role: str, settings: Mapping[str, str]) -> str:
    return _ROLE.format(
        role=role,
        config=", ".join(f"'{name}={value}'" for name, value in settings.items()),
        settings="\n".join(f"    ALTER ROLE {role} SET {name} = '{value}';" for name, value in settings.items()),
        bound=_BOUND.format(role=role, connections=CONNECTIONS[role]) if role in CONNECTIONS else "",
    )
